import { createInterface } from "node:readline";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { withoutSpinner } from "../terminal/spinner.ts";
import { untilAborted } from "../until-aborted.ts";

/** Asks the person at the terminal for the code of an MFA device. Throws `no-credentials` where nobody can answer. */
export async function askMfaCode(serial: string, profile: string, runtime: Runtime): Promise<string> {
  const { stdin, terminal } = runtime;
  if (stdin.isTTY !== true || !terminal.isStderrTTY) {
    throw new OpenclawError("no-credentials", {
      message: `Profile '${profile}' asks for the code of MFA device ${serial}, and there is no terminal to ask at.`,
      hint: "Run the command in a terminal, or use a profile without mfa_serial.",
    });
  }
  return withoutSpinner(runtime, () => readCode(serial, runtime));
}

async function readCode(serial: string, runtime: Runtime): Promise<string> {
  const { stdin, terminal, signal, untilForeground } = runtime;
  await untilForeground();
  signal.throwIfAborted();
  terminal.writeAside(`Enter MFA code for ${serial}: `);
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    const typed = new Promise<string>((resolve) => {
      lines.once("line", (line) => resolve(line.trim()));
      lines.once("close", () => resolve(""));
    });
    const code = await untilAborted(typed, signal);
    if (/^\d{6}$/.test(code)) return code;
    throw new OpenclawError("no-credentials", {
      message: "An MFA code has six digits.",
      hint: `Run the command again and type the code that ${serial} shows.`,
    });
  } finally {
    lines.close();
  }
}
