import { formatPath, type Path } from "../config/path.ts";
import { tryJson5 } from "../config/parse-json5.ts";
import { followPath, scanDocument } from "../config/spans.ts";
import { describeSyntaxError, placeAt } from "../config/syntax-error.ts";
import { namesStdin, readTextInput } from "../disk/read-input.ts";
import { type Dialogue, DialogueFault, readDialogue } from "../emulator/dialogue.ts";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

const HINT = "openclaw help emulator has what it takes.";

/** Reads the file of `--emulator-script`. Throws `usage` with line and column for what it does not take. */
export async function readEmulatorScript(file: string, runtime: Runtime): Promise<Dialogue> {
  const text = await readTextInput(file, "--emulator-script", "Name a JSON5 file.", runtime);
  const { value, error } = tryJson5(text);
  const name = namesStdin(file) ? "stdin" : file;
  if (error) {
    const { what, line, column } = describeSyntaxError(text, error);
    throw usageError(`${name} is not valid JSON5 at line ${line}, column ${column}: ${what}.`, HINT);
  }
  try {
    return readDialogue(value);
  } catch (fault) {
    if (!(fault instanceof DialogueFault)) throw fault;
    const { path, message } = fault;
    if (path.length === 0) throw usageError(`${name} ${message}.`, HINT);
    const { line, column } = placeAt(text, offsetOf(path, text));
    throw usageError(`${name} at line ${line}, column ${column}: ${formatPath(path)} ${message}.`, HINT);
  }
}

/** Where the key of a path stands, the item where it has none, or what encloses it where it is missing. */
function offsetOf(path: Path, text: string): number {
  const { root } = scanDocument(text);
  if (!root) return 0;
  const { node, member } = followPath(root, path);
  return (member?.keySpan ?? node).start;
}
