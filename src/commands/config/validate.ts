import { locateConfig, missingFile, readConfigText } from "../../config/file.ts";
import { inspectConfig, type Finding } from "../../config/inspect.ts";
import { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import { count } from "../../terminal/numbers.ts";
import { hang } from "../../terminal/word-wrap.ts";

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
    await noteFindings(file, warnings, runtime);
    const style = await terminal.stdoutStyle();
    for (const finding of problems) {
      const { title, message, frame } = describe(file, finding, style);
      await terminal.print(hang(title, message, terminal.columns).join("\n"));
      await terminal.write(frame);
    }
  }
  if (problems.length > 0) throw invalid(file, problems, document);
  if (terminal.format === "json") return terminal.printJson(document);
  const verdict =
    text === undefined ? `${file} does not exist; every setting has its default.` : `${file} is valid.`;
  await terminal.print(hang("", verdict, terminal.columns).join("\n"));
}

function invalid(
  file: string,
  problems: readonly Finding[],
  document: Record<string, unknown>,
): OpenclawError {
  const [first] = problems;
  return new OpenclawError("config-invalid", {
    message: `${file} has ${count(problems.length, "problem")}.`,
    hint: first === undefined ? undefined : `Correct line ${first.line} of ${file}.`,
    document,
  });
}

function toDocument({ path, message, expected, received, line, column }: Finding): Record<string, unknown> {
  return { path: path ?? null, message, expected, received, line, column };
}

/** Tells findings on stderr. */
export async function noteFindings(
  file: string,
  findings: readonly Finding[],
  { terminal }: Pick<Runtime, "terminal">,
): Promise<void> {
  const style = await terminal.stderrStyle();
  for (const finding of findings) {
    const { title, message, frame } = describe(file, finding, style);
    terminal.note(message, title);
    terminal.writeAside(frame);
  }
}

/** A finding in words, and the line it stands in, which no terminal may break: a caret points into it. */
function describe(
  file: string,
  { severity, message, line, column, frame: [source = "", caret = ""] }: Finding,
  { bold, yellow, red }: Style,
): { title: string; message: string; frame: string } {
  const isWarning = severity === "warning";
  return {
    title: `${bold(`${file}:${line}:${column}:`)} `,
    message: `${isWarning ? `${yellow("warning:")} ` : ""}${message}`,
    frame: `  ${source}\n  ${isWarning ? yellow(caret) : red(caret)}\n`,
  };
}
