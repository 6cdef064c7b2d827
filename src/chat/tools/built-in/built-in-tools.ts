import { usageError } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { textResult, type Tool, type ToolResult } from "../tool.ts";
import { Folder } from "./folder.ts";
import { LIST_FILES, listFiles } from "./list-files.ts";
import { READ_FILE, readFile } from "./read-file.ts";
import { SEARCH_FILES, searchFiles } from "./search-files.ts";
import { CallFault } from "./tool-input.ts";

/** A tool of this program, as a person may name it. */
export interface BuiltIn {
  name: string;
  /** Whether a folder may stand behind its name: `read-file:DIR`. */
  takesFolder: boolean;
  /** What it does, for a person. */
  says: string;
}

/** What a tool does in its folder. */
interface FolderTool extends BuiltIn {
  takesFolder: true;
  tool: { description: string; inputSchema: JsonObject };
  run: (input: JsonObject, folder: Folder, signal: AbortSignal, runtime: Runtime) => Promise<ToolResult>;
}

const FOLDER_TOOLS: readonly FolderTool[] = [
  {
    name: "read-file",
    takesFolder: true,
    says: "Reads files of a folder: texts, images and documents.",
    tool: READ_FILE,
    run: readFile,
  },
  {
    name: "list-files",
    takesFolder: true,
    says: "Lists what is in a folder.",
    tool: LIST_FILES,
    run: listFiles,
  },
  {
    name: "search-files",
    takesFolder: true,
    says: "Searches the texts of a folder.",
    tool: SEARCH_FILES,
    run: searchFiles,
  },
];

/** The tools of this program, none of which a model has unless it is named. */
export function builtIns(): readonly BuiltIn[] {
  return FOLDER_TOOLS;
}

/**
 * A tool of this program by its name. Those of files stay in `folder`, by default the current one. Throws `usage` for a name
 * that none has, and for a folder that is not there.
 */
export async function builtInTool(
  name: string,
  folder: string | undefined,
  runtime: Runtime,
  options: Pick<GlobalOptions, "config"> = {},
): Promise<Tool> {
  const found = FOLDER_TOOLS.find((tool) => tool.name === name);
  if (!found) throw usageError(`There is no built-in tool '${name}'.`, "openclaw tools list");
  const opened = await Folder.open(folder, runtime, options);
  return {
    name,
    source: { kind: "built-in", folder: opened.root },
    ...found.tool,
    run: (input, signal) => tellFaults(() => found.run(input, opened, signal, runtime)),
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
