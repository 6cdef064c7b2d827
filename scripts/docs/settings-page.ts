import { exampleFor } from "../../src/config/example.ts";
import { isPlaceholder, type ListedSetting, listSettings } from "../../src/config/find-setting.ts";
import { quoteForShell } from "../../src/terminal/quote-for-shell.ts";
import type { Kind } from "../../src/config/setting-kinds.ts";
import { describeKind } from "../../src/config/validate.ts";
import { code, fence, page, table } from "./markdown.ts";

/** A file that uses a little of everything. A test reads it with `config validate`. */
const EXAMPLE = `{
  models: {
    bedrockDiscovery: {
      region: "us-east-1",
      providerFilter: ["anthropic", "amazon"],
      refreshInterval: 3600, // seconds
    },
  },
  agents: {
    defaults: {
      model: { primary: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1" },
      models: {
        "amazon-bedrock/us.anthropic.claude-opus-4-6-v1": { alias: "opus" },
      },
      params: { maxTokens: 2000 },
    },
  },
}`;

/** docs/settings.md: one section for each branch of the table of settings, one row for each setting with a value. */
export function settingsPage(): string {
  const settings = listSettings().filter(({ field }) => isLeaf(field.type));
  const sections = new Map<string, ListedSetting[]>();
  for (const setting of settings) {
    const section = sectionOf(setting);
    sections.set(section, [...(sections.get(section) ?? []), setting]);
  }
  return page(
    "# Settings",
    fence("json5", EXAMPLE),
    "The file is JSON5: comments, unquoted keys and trailing commas are fine, and `openclaw config set` keeps them. It is the file of `--config`, else of `OPENCLAW_CONFIG_PATH`, else `$OPENCLAW_STATE_DIR/openclaw.json`, else `~/.openclaw/openclaw.json`; `openclaw config file` prints which. Keys that are not on this page belong to other programs and are left alone.",
    fence(
      "sh",
      [
        "openclaw config set models.bedrockDiscovery.region us-east-1",
        "openclaw config get --effective",
        "openclaw config validate",
      ].join("\n"),
    ),
    '`<id>`, `<key>` and `<name>` stand for a key of your choice, `[]` for a place in a list. A key with dots is written in brackets: `agents.defaults.models["amazon-bedrock/us.anthropic.claude-opus-4-6-v1"].alias`.',
    "`${NAME}` takes its value from the environment, and `$${NAME}` stands for `${NAME}` itself. An entry of `tools` without a `command` belongs to another program. Of two MCP servers with one name that of `mcpServers` is taken, not that of `mcp.servers`.",
    ...[...sections].flatMap(([section, rows]) => [`## ${section}`, table(TITLES, rows.map(row))]),
  );
}

const TITLES = ["setting", "takes", "default", "what it does", "example"];

function row({ segments, field }: ListedSetting): string[] {
  const secret = field.secret ? " Never printed." : "";
  return [
    code(pathOf(segments)),
    describeKind(field.type),
    field.defaultText ?? (field.default === undefined ? "" : code(JSON.stringify(field.default))),
    `${field.description}${secret}`,
    code(quoteForShell(exampleFor({ kind: field.type, field }))),
  ];
}

/** Whether a setting is a value of its own: the members of an object have rows of their own instead. */
function isLeaf(kind: Kind): boolean {
  if (kind.kind === "object") return kind.isOpen === true;
  if (kind.kind === "map" || kind.kind === "list") return isLeaf(kind.of);
  return true;
}

/** The branch a setting is shown under: the objects around it, as long as their keys are fixed. */
function sectionOf({ segments }: ListedSetting): string {
  const parents = segments.slice(0, -1);
  const firstPlaceholder = parents.findIndex(isPlaceholder);
  return pathOf(firstPlaceholder === -1 ? parents : parents.slice(0, firstPlaceholder));
}

function pathOf(segments: readonly string[]): string {
  return segments.reduce((path, segment) => {
    if (segment === "[]") return `${path}[]`;
    return path === "" ? segment : `${path}.${segment}`;
  }, "");
}
