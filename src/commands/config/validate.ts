import { locateConfig, missingFile, readConfigText } from "../../config/file.ts";
import { inspectConfig, type Finding } from "../../config/inspect.ts";
import { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

/**
 * Prints every problem of the configuration file with its place, and warnings about likely mistakes.
 * Throws `config-invalid` when there is a problem, `config-unreadable` when the file cannot be read.
 */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const location = locateConfig(options, runtime);
  const { file } = location;
  const text = await readConfigText(file);
  if (text === undefined && location.source === "--config") throw missingFile(location);
  const findings = text === undefined ? [] : inspectConfig(text, runtime.env);
  const problems = findings.filter(({ severity }) => severity === "problem");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  const document = {
    file,
    exists: text !== undefined,
    valid: problems.length === 0,
    problems: problems.map(toDocument),
    warnings: warnings.map(toDocument),
  };
  if (terminal.format === "text") {
    for (const finding of warnings)
      for (const line of await describe(file, finding, runtime)) terminal.note(line);
    for (const finding of problems)
      for (const line of await describe(file, finding, runtime)) await terminal.print(line);
  }
  if (problems.length > 0) throw invalid(file, problems, document);
  if (terminal.format === "json") return terminal.printJson(document);
  await terminal.print(
    text === undefined ? `${file} does not exist; every setting has its default.` : `${file} is valid.`,
  );
}

function invalid(
  file: string,
  problems: readonly Finding[],
  document: Record<string, unknown>,
): OpenclawError {
  const [first] = problems;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new OpenclawError("config-invalid", {
    message: `${file} has ${count}.`,
    hint: first === undefined ? undefined : `Correct line ${first.line} of ${file}.`,
    document,
  });
}

function toDocument({ path, message, expected, received, line, column }: Finding): Record<string, unknown> {
  return { path: path ?? null, message, expected, received, line, column };
}

async function describe(file: string, finding: Finding, { terminal }: Runtime): Promise<string[]> {
  const { severity, message, line, column, frame } = finding;
  const isWarning = severity === "warning";
  const style = await (isWarning ? terminal.stderrStyle() : terminal.stdoutStyle());
  const [source = "", caret = ""] = frame;
  const place = style.bold(`${file}:${line}:${column}:`);
  const kind = isWarning ? `${style.yellow("warning:")} ` : "";
  return [
    `${place} ${kind}${message}`,
    `  ${source}`,
    `  ${isWarning ? style.yellow(caret) : style.red(caret)}`,
  ];
}
