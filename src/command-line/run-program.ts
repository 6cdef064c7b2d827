import { usageError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { completeCommands } from "./complete-commands.ts";
import { type Action, type Program, readArgument, readFlag } from "./declaration.ts";
import { type Call, fillValues, readHelpCall, readPlainCall } from "./plain-call.ts";

interface OutputOptions extends GlobalOptions {
  ndjson?: boolean;
  plain?: boolean;
  csv?: boolean;
}

/** Runs the program with the given arguments. Rejects with `OpenclawError`. */
export async function runProgram(
  program: Program,
  typed: readonly string[],
  runtime: Runtime,
): Promise<void> {
  const args = fillValues(program, typed);
  const { terminal } = runtime;
  // A wrong call is reported in the format that was asked for, although it could not be parsed.
  const flags = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const isDocument = flags.includes("--json");
  if (isDocument) terminal.setMode({ format: "json" });
  if (flags.includes("--ndjson")) terminal.setMode({ format: "ndjson" });
  const words = isDocument ? args.filter((arg) => arg !== "--json") : args;
  const { version } = program;
  const tellVersion = (): Promise<void> =>
    isDocument ? terminal.printJson({ version }) : terminal.print(version);
  if (words.length === 1 && isVersionFlag(program, words[0])) return tellVersion();
  const run = (call: Call): Promise<void> => runCall(call, program, args, runtime);
  const plain = readPlainCall(program, args);
  if (plain) return run(plain);
  if (flags.includes("--no-color")) terminal.setMode({ color: false });
  const path = readHelpCall(program, words);
  if (path) return tellHelp(program, path, terminal, args.length === 0);
  const { parseWithCommander } = await import("./parse-with-commander.ts");
  const asked = await parseWithCommander(program, args, run);
  if (asked) return asked === "version" ? tellVersion() : tellHelp(program, asked.help, terminal);
}

/** Tells the help of the command that the words of `path` lead to; to a person who typed nothing else, how to begin. */
async function tellHelp(
  program: Program,
  path: readonly string[],
  terminal: Terminal,
  isOpening = false,
): Promise<void> {
  const { helpText, welcome } = await import("./help-text.ts");
  if (terminal.format === "json") {
    const { plainStyle } = await import("../terminal/color.ts");
    const text = helpText(program, path, { columns: Number.POSITIVE_INFINITY, style: plainStyle });
    return terminal.printJson({ name: path.join(" "), text });
  }
  const layout = { columns: terminal.columns, style: await terminal.stdoutStyle() };
  const text = isOpening && terminal.isStdoutTTY ? welcome(program, layout) : helpText(program, path, layout);
  return terminal.write(text);
}

function isVersionFlag({ versionFlag }: Program, arg: string | undefined): boolean {
  const { long, short } = readFlag(versionFlag);
  return arg === long || arg === short;
}

async function runCall(
  { action, options }: Call,
  program: Program,
  args: readonly string[],
  runtime: Runtime,
): Promise<void> {
  // From here on signals are heard.
  if (!action.isBrief) runtime.signal.throwIfAborted();
  const globals = options as unknown as OutputOptions;
  setOutputMode(globals, runtime);
  runtime.terminal.setMode({ completeCommands: (text) => completeCommands(text, program, globals) });
  if (asksForHelp({ action, options }, args, runtime))
    throw (await import("./other-words.ts")).helpInPlaceOf(args);
  refuseLoneFlags(action, args);
  if (namesFile(options))
    await (
      await import("./stray-file.ts")
    ).refuseStrayFiles([...program.flags, ...(action.flags ?? [])], args, runtime.currentFolder);
  const { run } = await action.load();
  const work = (setup: Runtime): Promise<void> => run(options as never, setup);
  await (action.isEmulator ? work(runtime) : withEmulator(globals, runtime, work));
}

/** Throws `usage` for a flag that says nothing without another one. */
function refuseLoneFlags({ flags = [] }: Action, args: readonly string[]): void {
  const isGiven = (name: string): boolean =>
    args.some(
      (arg, index) => (arg === name || arg.startsWith(`${name}=`)) && !args.slice(0, index).includes("--"),
    );
  for (const flag of flags) {
    const { long } = readFlag(flag);
    if (!flag.needs || !isGiven(long) || flag.needs.some(isGiven)) continue;
    const needed = flag.needs.join(" or ");
    throw usageError(`${long} says nothing without ${needed}.`, `Add ${needed}, or leave ${long} out.`);
  }
}

/** Whether a person has typed `help` where a command takes something else, such as a prompt; a script means what it says. */
function asksForHelp({ action, options }: Call, args: readonly string[], runtime: Runtime): boolean {
  if (args.at(-1) !== "help" || args[0] === "help" || args.includes("--")) return false;
  const words = (action.arguments ?? []).map((argument) => options[readArgument(argument).name]);
  if (words.flat().join(" ").trim() !== "help") return false;
  return runtime.terminal.isStdoutTTY && runtime.stdin.isTTY === true;
}

/** Whether a flag of a call takes a file, so that another may stand behind it by mistake. */
function namesFile({ prompt, file, schema, systemFile }: Call["options"]): boolean {
  return (
    Array.isArray(prompt) &&
    prompt.length > 0 &&
    [file, schema, systemFile].some((value) => value !== undefined)
  );
}

function setOutputMode(
  { json, ndjson, plain, csv, color, verbose, quiet }: OutputOptions,
  { terminal }: Runtime,
): void {
  if (json && (ndjson || plain || csv)) {
    throw usageError(
      `--json and ${ndjson ? "--ndjson" : csv ? "--csv" : "--plain"} are two forms of one output.`,
      "Leave one of them out.",
    );
  }
  const format = ndjson ? "ndjson" : json ? "json" : "text";
  terminal.setMode({ format, color, verbose: verbose === true, quiet: quiet === true });
}

/**
 * With `--emulator`, and with a script for it, runs `work` against a Bedrock inside this process that the environment
 * points to.
 */
async function withEmulator(
  options: GlobalOptions,
  runtime: Runtime,
  work: (runtime: Runtime) => Promise<void>,
): Promise<void> {
  const { emulatorScript } = options;
  if (!options.emulator && emulatorScript === undefined) return work(runtime);
  const flag = options.emulator ? "--emulator" : "--emulator-script";
  if (options.endpointUrl)
    throw usageError(`${flag} and --endpoint-url name two different endpoints.`, "Leave one of them out.");
  if (options.profile)
    throw usageError(
      `${flag} brings its own credentials; --profile has none for it.`,
      "Leave one of them out.",
    );
  const dialogue =
    emulatorScript === undefined
      ? undefined
      : await (await import("./read-emulator-script.ts")).readEmulatorScript(emulatorScript, runtime);
  const { emulatedEnvironment, startEmulator } = await import("../emulator/emulator.ts");
  const emulator = await startEmulator({ dialogue });
  try {
    await work({ ...runtime, env: emulatedEnvironment(runtime.env, emulator), isEmulated: true });
  } finally {
    await emulator.stop();
  }
}
