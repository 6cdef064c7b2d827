import { askLine, canAsk } from "../../terminal/ask-yes.ts";
import { keepAccess } from "../../discovery/access.ts";
import type { AskedGates } from "../../discovery/ask-gates.ts";
import {
  type Gate,
  type GatePlace,
  type GateStatus,
  judgeAccess,
  judgeGates,
} from "../../discovery/judge-access.ts";
import { withAwsSpinner } from "../../discovery/survey.ts";
import { readTextInput } from "../../disk/read-input.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { loadConfig } from "../../config/resolve.ts";
import { configuredDefaults } from "../../models/default-models.ts";
import { toWarning, type Warning } from "../../models/discovered.ts";
import { accessCommand } from "../../models/gates.ts";
import { formTemplate, readForm } from "../../models/use-case-form.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { hang, stepOf } from "../../terminal/word-wrap.ts";
import { type Opening, type Step, planAgreement, planForm, planRetention } from "./open-gate.ts";

export interface AccessOptions extends GlobalOptions {
  /** The default model where none is named. */
  model?: string;
  acceptAgreement?: boolean;
  /** A file, or `-`. */
  submitForm?: string;
  formTemplate?: boolean;
  retention?: string;
  yes?: boolean;
}

/**
 * Shows each gate between this identity and a model, with what opens it, and opens one where a flag asks for that and
 * somebody has said yes. Throws `usage` where nobody can be asked, for a form that AWS would refuse, and for a no.
 */
export async function run(options: AccessOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  if (options.formTemplate) return terminal.printDocument(formTemplate());
  const step = await readStep(options, runtime);
  const model = options.model ?? (await defaultModel(options, runtime));
  const { lookAtGates } = await import("../../discovery/look-at-gates.ts");
  const {
    survey,
    key,
    name,
    place,
    asked: first,
    quota,
    session,
    ask,
  } = await lookAtGates(model, options, runtime);
  try {
    let asked = first;
    const opening = await step?.({ session, place, answers: asked.answers });
    if (opening?.open) {
      await consent(opening, options, runtime);
      const { open } = opening;
      asked = await withAwsSpinner(survey.setup, "Opening the gate", async () => {
        await open();
        return ask();
      });
    }
    const { cacheFile } = survey.load;
    if (cacheFile !== undefined) await keepAccess(cacheFile, place.modelId, asked.answers, runtime);
    await show({ name, key, place, asked, quota, opening }, options, runtime);
  } finally {
    session.close();
  }
}

/** What the flags ask for; undefined for nothing but a look. Throws `usage`. */
async function readStep(options: AccessOptions, runtime: Runtime): Promise<Step | undefined> {
  const { acceptAgreement, submitForm, retention, yes } = options;
  const flags = [
    ...(acceptAgreement ? ["--accept-agreement"] : []),
    ...(submitForm === undefined ? [] : ["--submit-form", quoteForShell(submitForm)]),
    ...(retention === undefined ? [] : ["--retention", retention]),
  ];
  const names = flags.filter((flag) => flag.startsWith("--"));
  const [name] = names;
  if (name === undefined) {
    if (yes)
      throw usageError(
        "--yes says yes to nothing.",
        "It goes with --accept-agreement, --submit-form or --retention.",
      );
    return undefined;
  }
  if (names.length > 1) throw usageError(`${names.join(" and ")} open several gates.`, "Open one at a time.");
  if (!yes && !canAsk(runtime)) {
    const barred = { modelId: options.model };
    throw usageError(
      `${name} needs a yes, and there is no terminal to ask at.`,
      `Say it with --yes: ${accessCommand(barred, ...flags, "--yes")}`,
    );
  }
  if (submitForm !== undefined) {
    const hint = "The form to fill in: openclaw models access MODEL --form-template > form.json";
    const text = await readTextInput(submitForm, "--submit-form", hint, runtime);
    return planForm(readForm(text, submitForm === "-" ? "stdin" : `'${submitForm}'`));
  }
  return retention === undefined ? planAgreement : planRetention(retention);
}

async function defaultModel(options: GlobalOptions, runtime: Runtime): Promise<string> {
  const [primary] = configuredDefaults((await loadConfig(options, runtime)).value, runtime);
  if (primary !== undefined) return primary;
  throw new OpenclawError("no-default-model", {
    message: "No model is named, and no default model is set.",
    hint: "openclaw models access MODEL",
  });
}

/** Says what is shared with whom, and goes on with a yes only. Throws `usage` for anything else. */
async function consent(
  { says, sends = {}, verb }: Opening,
  { yes }: AccessOptions,
  runtime: Runtime,
): Promise<void> {
  // Words of AWS are among them: none of their lines begins where ours do.
  for (const line of says) runtime.terminal.note(line, "  ");
  for (const [name, value] of Object.entries(sends)) runtime.terminal.note(value, `  ${name}: `);
  if (yes) return;
  const answer = await askLine(`Type yes to ${verb}:`, runtime);
  if (answer?.toLowerCase() === "yes") return;
  throw usageError(
    `Nothing was sent: the answer was ${answer ? `'${answer}'` : "empty"}, and not yes.`,
    "Run it again and type yes, or add --yes.",
  );
}

interface Shown {
  name: string;
  key: string;
  place: GatePlace;
  asked: AskedGates;
  quota: Gate;
  opening: Opening | undefined;
}

async function show(
  { name, key, place, asked, quota, opening }: Shown,
  options: AccessOptions,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const { answers, failures } = asked;
  const gates = [...judgeGates(answers, place), quota].map((gate) => terminal.told(gate));
  const { callable } = judgeAccess(answers, place);
  const unsaid = [...failures.values()].filter((error) => error.code !== "model-not-found");
  const warnings = unsaid.map((error): Warning => terminal.told(toWarning(error, "AWS did not say all")));
  if (terminal.format === "json") {
    await terminal.printJson({
      model: key,
      id: place.modelId,
      name,
      region: place.region,
      callable: quota.status === "closed" ? false : callable,
      gates,
      opened: opening?.open ? { gate: opening.gate, waitMinutes: opening.waitMinutes } : null,
      warnings,
    });
  } else if (terminal.isStdoutTTY) {
    const style = await terminal.stdoutStyle();
    const title = `${style.bold(name)} ${style.dim(`${place.modelId} in ${place.region}`)}`;
    for (const line of [...hang("", title, terminal.columns), ...layOut(gates, style, terminal.columns)])
      await terminal.print(line);
  } else {
    for (const { name: gate, status, value, detail, hint } of gates)
      await terminal.print([gate, status, value ?? "", detail, hint ?? ""].join("\t"));
  }
  if (opening) {
    const again = `openclaw: Look again: ${accessCommand({ ...place, modelId: options.model ?? place.modelId })}`;
    terminal.note(`openclaw: ${opening.open ? opening.done : opening.says.join(" ")}`);
    if (opening.open && opening.waitMinutes > 0) terminal.note(again);
  }
  for (const { message, hint } of warnings) await terminal.warn(message, hint);
}

const STATUS_WORDS: Readonly<Record<GateStatus, string>> = {
  open: "open",
  closed: "closed",
  "on-first-call": "on first call",
  pending: "pending",
  "not-needed": "not needed",
  unknown: "unknown",
};

/** The gates under each other: name, status, what stands there; below that what opens it, a command whole. */
function layOut(gates: readonly Gate[], style: Style, columns: number): string[] {
  const nameWidth = Math.max(...gates.map(({ name }) => name.length)) + 2;
  const statusWidth = Math.max(...gates.map(({ status }) => STATUS_WORDS[status].length)) + 2;
  return gates.flatMap(({ name, status, detail, hint }) => {
    const word = STATUS_WORDS[status];
    const look = status === "open" ? style.green : status === "closed" ? style.red : style.dim;
    const title = `${name.padEnd(nameWidth)}${look(word)}${" ".repeat(statusWidth - word.length)}`;
    const below = hint === null ? [] : hang(stepOf(columns), style.dim(hint), columns);
    return [...hang(title, detail, columns), ...below];
  });
}
