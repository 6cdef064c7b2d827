import { usageError } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { textResult, type Tool, type ToolResult } from "../tool.ts";
import type { BuiltIn } from "../toolbox.ts";
import { AWS, demandOfAws, describeAws, runAws } from "./aws.ts";
import { Folder } from "./folder.ts";
import { LIST_FILES, listFiles } from "./list-files.ts";
import { READ_FILE, readFile } from "./read-file.ts";
import { SEARCH_FILES, searchFiles } from "./search-files.ts";
import { describeShell, runShellTool, SHELL, SHELL_DEMAND } from "./shell.ts";
import { CallFault } from "./tool-input.ts";

/** What a built-in tool is once it is opened. */
type Opened = Omit<Tool, "name">;

interface BuiltInRow extends BuiltIn {
  open: (folder: string | undefined, runtime: Runtime, options: Options) => Opened | Promise<Opened>;
}

type Options = Partial<Pick<GlobalOptions, "config" | "profile" | "region">>;

type FolderRun = (
  input: JsonObject,
  folder: Folder,
  signal: AbortSignal,
  runtime: Runtime,
) => Promise<ToolResult>;

const ROWS: readonly BuiltInRow[] = [
  {
    name: "read-file",
    takesFolder: true,
    says: "Reads files of a folder: texts, images and documents.",
    open: inFolder(READ_FILE, readFile),
  },
  {
    name: "list-files",
    takesFolder: true,
    says: "Lists what is in a folder.",
    open: inFolder(LIST_FILES, listFiles),
  },
  {
    name: "search-files",
    takesFolder: true,
    says: "Searches the texts of a folder.",
    open: inFolder(SEARCH_FILES, searchFiles),
  },
  {
    name: "shell",
    takesFolder: false,
    says: "Runs command lines, each of which is shown and asked about.",
    open: (_, runtime) => ({
      source: { kind: "built-in" },
      ...SHELL,
      demandOf: () => SHELL_DEMAND,
      describe: describeShell,
      run: (input, signal) => runShellTool(input, signal, runtime),
    }),
  },
  {
    name: "aws",
    takesFolder: false,
    says: "Runs commands of the AWS CLI that only read; others with --allow aws:write.",
    open: (_, runtime, options) => ({
      source: { kind: "built-in" },
      ...AWS,
      demandOf: demandOfAws,
      describe: describeAws,
      run: (input, signal) => runAws(input, signal, runtime, options),
    }),
  },
];

/** The tools of this program, none of which a model has unless it is named. */
export function builtIns(): readonly BuiltIn[] {
  return ROWS;
}

/**
 * A tool of this program by its name. Those of files stay in `folder`, by default the current one. Throws `usage` for a name
 * that none has, and for a folder that is not there.
 */
export async function builtInTool(
  name: string,
  folder: string | undefined,
  runtime: Runtime,
  options: Options = {},
): Promise<Tool> {
  const found = ROWS.find((row) => row.name === name);
  if (!found) throw usageError(`There is no built-in tool '${name}'.`, "openclaw tools list");
  const opened = await found.open(folder, runtime, options);
  return { ...opened, name, run: (input, signal) => tellFaults(() => opened.run(input, signal)) };
}

function inFolder(says: Pick<Tool, "description" | "inputSchema">, run: FolderRun): BuiltInRow["open"] {
  return async (named, runtime, options) => {
    const folder = await Folder.open(named, runtime, options);
    return {
      source: { kind: "built-in", folder: folder.root },
      ...says,
      run: (input, signal) => run(input, folder, signal, runtime),
    };
  };
}

/** What is wrong with a call is told the model. */
async function tellFaults(work: () => Promise<ToolResult>): Promise<ToolResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CallFault)) throw error;
    return textResult(error.message, true);
  }
}
