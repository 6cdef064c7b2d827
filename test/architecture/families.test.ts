import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "rolldown/utils";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../src/", import.meta.url));

/** Names of vendors and of their models, as ids and code have them. OpenAI and Amazon also are an API and a cloud. */
const NAMES = new RegExp(
  [
    "(?<!aws\\.)amazon\\.(?!com)|ai21|anthropic|cohere|deepseek|google\\.|luma\\.|\\bmeta\\.|minimax|mistral|moonshot",
    "nvidia\\.|openai\\.|qwen|stability\\.|twelvelabs|\\bwriter\\.palmyra|\\bxai\\b|\\bzai\\b",
    "claude|command-r|gemma|glm-|gpt-|grok|jamba|kimi|llama|magistral|nemotron|nova(?!t)|palmyra|pixtral|titan",
  ].join("|"),
  "i",
);

/** Files that may name them all the same, and why. emulator/ plays AWS, and is not asked about. */
const ALLOWED: Readonly<Record<string, string>> = {
  "models/families.ts": "is the table itself",
  "models/provider-api.ts": "names APIs and their paths, which have a vendor's name",
  "models/default-models.ts": "names the model that is asked under --emulator when nobody named one",
  "command-line/examples.ts": "has examples for the help, which are typed as they stand",
  "commands/serve.ts": "prints variables that have a vendor's name",
  "config/settings.ts": "has examples of settings for their documentation",
  "serve/model-names.ts": "has an example in a hint",
  "session/error-table.ts":
    "says on the screen whose use-case form is missing; AWS's answer tells that it is",
  "wires/openai-fields.ts": "drops a field by the name it has in the request",
  "wires/messages/stream-messages.ts": "sends headers that have a vendor's name",
  "chat/open-wire.ts": "names APIs",
  "aws/event-stream.ts": "has the media type of AWS's streams",
  "serve/dialects/bedrock/claude-body.ts": "reads a body in a vendor's words, for every model",
  "serve/dialects/bedrock/nova-body.ts": "the same",
  "serve/dialects/bedrock/invoke.ts": "tells them apart",
  "serve/dialects/bedrock/count-tokens.ts": "the same",
  "batch/jobs/line-rules.ts": "tells bodies in vendors' words from others",
  "batch/lines/batch-line.ts": "names the words that a line may ask in",
  "batch/lines/line-kinds.ts": "reads bodies in vendors' words, for every model",
  "batch/lines/output-forms.ts": "tells an answer in the words that it was asked in",
  "serve/dialects/messages/routes.ts": "reads a header that has a vendor's name",
  "serve/dialects/messages/rate-headers.ts": "sends headers that have a vendor's name",
  "serve/dialects/messages/read-messages.ts": "leaves out a note that has a vendor's name",
};

/** The names in what a program does: in identifiers, texts and patterns, not in comments. */
function namesIn(source: string): string[] {
  if (!NAMES.test(source)) return [];
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== "object" || node === null || Array.isArray(node)) return;
    const { type, name, value, raw, regex } = node as Record<string, unknown>;
    // A package may have a vendor's name.
    if (type === "ImportDeclaration") return;
    if (type === "Identifier") found.push(String(name));
    if (type === "Literal") found.push(String(regex ? raw : value));
    if (type === "TemplateElement") found.push((value as { raw: string }).raw);
    Object.values(node).forEach(visit);
  };
  visit(parseSync("source.ts", source).program);
  return found.filter((text) => NAMES.test(text));
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("emulator"))
  .map((file) => file.replaceAll(path.sep, "/"));

describe("who knows families of models", () => {
  test("is one table: no other file asks for a vendor's or a family's name", () => {
    expect(files.length).toBeGreaterThan(100);
    const naming = files
      .filter((file) => !Object.hasOwn(ALLOWED, file))
      .map((file) => [file, namesIn(readFileSync(path.join(root, file), "utf8"))] as const)
      .filter(([, names]) => names.length > 0);
    expect(naming).toEqual([]);
  });

  test("is told for no file that does not need it", () => {
    for (const file of Object.keys(ALLOWED))
      expect([file, namesIn(readFileSync(path.join(root, file), "utf8")).length > 0]).toEqual([file, true]);
  });

  test.each([
    ['if (id.startsWith("anthropic.")) skip();', ["anthropic."]],
    ["const OLD = /^amazon\\.nova-lite/;", ["/^amazon\\.nova-lite/"]],
    ["const isClaude = (id: string): boolean => id === `us.${name}-llama3`;", ["isClaude", "-llama3"]],
    ["// Claude wants 1024 tokens.\nconst page = 'https://docs.aws.amazon.com/bedrock/';", []],
    ["const innovation = key.meta;", []],
  ])("is found in %s", (source, names) => {
    expect(namesIn(source)).toEqual(names);
  });
});
