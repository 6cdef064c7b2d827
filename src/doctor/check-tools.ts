import { stat } from "node:fs/promises";
import path from "node:path";
import { checkInputSchema } from "../chat/tools/command-tool.ts";
import { findProgram } from "../chat/tools/find-program.ts";
import { environmentFor } from "../chat/tools/run-command.ts";
import {
  commandToolsOf,
  type Configured,
  expandConfigured,
  mcpServersOf,
} from "../config/configured-tools.ts";
import { formatPath } from "../config/path.ts";
import { expandHome } from "../disk/state-folder.ts";
import { ifSystemLets, OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type Check, ok, type Outcome, warn, worst } from "./check.ts";
import type { Examination } from "./examination.ts";

/** What is started for a tool or a server. */
interface Started {
  program: string | undefined;
  env?: Readonly<Record<string, unknown>>;
  cwd?: string;
}

/** Whether the programs of tools and of MCP servers are there, and their schemas are some. None is started, and no server is asked. */
export const toolsCheck: Check<Examination> = {
  id: "tools",
  title: "tools",
  needs: ["config"],
  hint: "openclaw config validate",
  run: async ({ config, runtime }) => {
    const { value } = await config();
    const tools = [...commandToolsOf(value)].map(([name, configured]) =>
      examine(
        `tool ${name}`,
        configured,
        ({ command, env }) => ({ program: command[0], ...(env && { env }) }),
        runtime,
        (setting) => checkInputSchema(name, setting, runtime.signal),
      ),
    );
    const servers = [...mcpServersOf(value)].flatMap(([name, { isDisabled, ...configured }]) =>
      isDisabled
        ? []
        : examine(
            `MCP server ${name}`,
            configured,
            ({ command, env, cwd }) => ({
              program: command,
              ...(env && { env }),
              ...(cwd !== undefined && { cwd }),
            }),
            runtime,
          ),
    );
    const outcomes = await Promise.all([...tools, ...servers]);
    const faults = outcomes.filter(({ status }) => status !== "ok");
    return faults.length > 0
      ? worst(faults)
      : ok(outcomes.map(({ detail }) => detail).join(", ") || "all are disabled");
  },
};

async function examine<TSetting extends object>(
  label: string,
  configured: Configured<TSetting>,
  startedBy: (setting: TSetting) => Started,
  { env: environment, currentFolder, homeFolder, platform }: Runtime,
  check?: (setting: TSetting) => Promise<void>,
): Promise<Outcome> {
  try {
    const setting = expandConfigured(configured, environment);
    const { program, env, cwd = "." } = startedBy(setting);
    // A server that is called is not asked.
    if (program === undefined) return ok(label);
    const folder = path.resolve(currentFolder, expandHome(cwd, homeFolder));
    const settingOf = (key: string): string => formatPath([...configured.path, key]);
    if (!(await ifSystemLets(stat(folder)))?.isDirectory())
      return warn(
        `${label}: its folder ${folder} is not there`,
        `Name another: openclaw config set ${quoteForShell(settingOf("cwd"))} …`,
      );
    const found = await findProgram(program, {
      env: environmentFor(environment, env, platform),
      folder,
      platform,
    });
    if ("file" in found) {
      await check?.(setting);
      return ok(label);
    }
    return warn(
      `${label}: ${quoteForShell(program)} ${found.fault}`,
      `Install it, or name another: openclaw config set ${quoteForShell(settingOf("command"))} …`,
    );
  } catch (failure) {
    if (!(failure instanceof OpenclawError)) throw failure;
    return warn(`${label}: ${failure.message.replace(/\.$/, "")}`, failure.hint);
  }
}
