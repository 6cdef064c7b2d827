import type { FilledTemplate } from "../chat/template.ts";
import { loadConfig, type LoadedConfig } from "../config/resolve.ts";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { connectAhead, likelyTarget } from "../session/connect-ahead.ts";
import { readSetup } from "../session/session.ts";
import type { Screen, Terminal } from "../terminal/terminal.ts";
import type { ChatOptions } from "./chat/run-chat.ts";

/**
 * Asks a model and writes its answer as it arrives; without a prompt on a terminal, talks until the person leaves. Every
 * failure is thrown, also one after the first token.
 */
export async function run(options: ChatOptions, runtime: Runtime): Promise<void> {
  if (options.output === undefined) return chat(options, runtime);
  const [{ writingToFile }, { shareSecrets }] = await Promise.all([
    import("../disk/output-file.ts"),
    import("../credentials/hide-secrets.ts"),
  ]);
  const answer = (terminal: Terminal): Promise<void> => {
    shareSecrets(runtime, { terminal });
    return chat(options, { ...runtime, terminal });
  };
  await writingToFile(options.output, "--output", runtime, answer, async (written, failure) => {
    const { rescueAnswer } = await import("./chat/rescue-answer.ts");
    return rescueAnswer(written, failure, runtime);
  });
}

async function chat(options: ChatOptions, runtime: Runtime): Promise<void> {
  if (options.extract && runtime.terminal.format === "ndjson")
    throw usageError(
      "--extract prints a code block, and --ndjson the events of an answer.",
      "Leave one of them out.",
    );
  if (options.extract && options.schema !== undefined)
    throw usageError(
      "--extract prints a code block, and --schema answers with JSON alone.",
      "Leave one of them out.",
    );
  const config = await loadConfig(options, runtime);
  const template = await readTemplate(options, config);
  const setup = await readSetup(options, runtime, config);
  const isAsked = (options.prompt.length > 0 || template?.isQuestion) && !options.dryRun;
  const model = options.model ?? template?.model;
  const connected = await connectAhead(setup, () => {
    const target = isAsked ? likelyTarget(model, setup) : undefined;
    return target && { service: "models", target, count: 1 };
  });
  const { runChat } = await import("./chat/run-chat.ts");
  // stdin takes Node some ms to open, and is looked at last.
  await runChat(options, connected, { screen: screenFor(options, template, runtime), template });
}

/** The template that is named, with its parameters. Throws `usage`. */
async function readTemplate(
  { template, param }: ChatOptions,
  config: LoadedConfig,
): Promise<FilledTemplate | undefined> {
  if (template !== undefined) {
    const { fillTemplate, findTemplate } = await import("../chat/template.ts");
    return fillTemplate(template, findTemplate(template, config.value), param);
  }
  if (param === undefined) return undefined;
  throw usageError("--param is for a template, and none is named.", "openclaw templates list");
}

/**
 * The screen to talk at: there is one when a person sits at both ends, nothing was asked on the command line, and nothing
 * that is for one answer.
 */
function screenFor(
  { prompt, dryRun, output, extract, run: runsTools, toolResult }: ChatOptions,
  template: FilledTemplate | undefined,
  { stdin, terminal }: Runtime,
): Screen | undefined {
  const isOne =
    prompt.length > 0 ||
    dryRun ||
    output !== undefined ||
    extract ||
    !runsTools ||
    toolResult !== undefined ||
    template?.isQuestion;
  return isOne || terminal.format !== "text" || stdin.isTTY !== true ? undefined : terminal.screen;
}
