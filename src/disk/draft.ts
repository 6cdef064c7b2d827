import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { endTreeWith, endWith } from "../end-child.ts";
import { type ErrorCode, OpenclawError, usageError, withFields } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { decodeText } from "./decode-text.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** How long an editor that is told to end may take, in ms: less than this command has to take its draft away. */
const GRACE_MS = 250;

export interface Draft {
  /** Opens the editor, and resolves to the text when it is closed. Throws `internal` for an editor that fails, and `usage`. */
  edit(): Promise<string>;
  /** Takes the draft away, unless it is to be kept. */
  close(): Promise<void>;
  /** Leaves what was written where it is. Returns the error that says why it is not taken over, with where it is now. */
  reject(error: OpenclawError, adviseOn: (file: string) => string): OpenclawError;
}

/**
 * Puts a text where only this user can read it, under a name that tells the editor what it is. The editor is $VISUAL, else
 * $EDITOR, run by a shell as git does it (https://git-scm.com/docs/git-var), else vi where a person sits at the terminal.
 * Throws `usage` where there is none. `code` is that of the error for what is no text.
 */
export async function openDraft(
  text: string,
  name: string,
  code: ErrorCode,
  runtime: Runtime,
): Promise<Draft> {
  const editor = chooseEditor(runtime);
  const folder = await makePrivateFolder(runtime);
  const file = path.join(folder.path, name);
  await writeFile(file, text, { mode: 0o600, flag: "wx" });
  let isKept = false;
  return {
    edit: async () => {
      await runEditor(editor, file, runtime);
      return decodeText(await readFile(file), { label: "What was edited", file: undefined, code });
    },
    close: async () => (isKept ? undefined : folder.close()),
    reject: (error, adviseOn) => {
      isKept = true;
      folder.keep();
      const details = { ...error.details, rejected: file };
      return withFields(error, { hint: adviseOn(file), details });
    },
  };
}

function chooseEditor({ env, stdin, platform }: Runtime): string {
  const named = env["VISUAL"] ?? env["EDITOR"];
  if (named !== undefined) return named;
  if (stdin.isTTY === true) return platform === "win32" ? "notepad" : "vi";
  throw usageError("No editor is named, and there is no terminal for one.", "export EDITOR=nano");
}

async function runEditor(editor: string, file: string, runtime: Runtime): Promise<void> {
  const { env, currentFolder, signal, platform } = runtime;
  signal.throwIfAborted();
  const { spawn } = await import("node:child_process");
  // Plain words become the editor itself; of others the shell is the parent.
  const isPlain = /^[\w@%+:,./ -]+$/.test(editor);
  const line = `${isPlain ? "exec " : ""}${editor} "$@"`;
  const options = { stdio: "inherit", env: { ...env }, cwd: currentFolder } as const;
  const child =
    platform === "win32"
      ? spawn(`${editor} "${file}"`, { ...options, shell: true })
      : spawn("/bin/sh", ["-c", line, editor, file], options);
  // Ctrl-C is a key of the editor: the terminal sends it to both.
  const takeBack = runtime.lendTerminal();
  const ending = isPlain
    ? endWith(signal, child, false, runtime, GRACE_MS)
    : endTreeWith(signal, child, runtime, GRACE_MS);
  const end = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, by) => resolve({ code, by }));
  })
    .catch((cause: unknown) => {
      signal.throwIfAborted();
      throw editorError(`The editor '${editor}' cannot be run: ${String(cause)}.`);
    })
    .finally(async () => {
      takeBack();
      await ending.forget();
    });
  signal.throwIfAborted();
  if (end.code === 0) return;
  // What a shell says of a command that is not there (POSIX, "Exit Status for Commands").
  if (end.code === 127) throw editorError(`There is no editor '${editor}'.`);
  const how =
    end.code === null || end.code > 128
      ? `was ended by ${end.by ?? `signal ${(end.code ?? 0) - 128}`}`
      : `ended with exit code ${end.code}`;
  throw editorError(`The editor '${editor}' ${how}, so nothing was changed.`);
}

function editorError(message: string): OpenclawError {
  return new OpenclawError("internal", { message, hint: "Name another editor: export EDITOR=nano" });
}
