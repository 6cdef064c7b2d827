import { OpenclawError, usageError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { editText, replaceIfUnchanged, underLock } from "../disk/edit-file.ts";
import { checkEdit, type EditPermissions } from "./check-edit.ts";
import { editDocument } from "./document.ts";
import { maskedAt, type Edit } from "./edit-value.ts";
import { locateConfig, readConfigText } from "./file.ts";
import { maskDocument } from "./mask-document.ts";
import { parseDocument } from "./parse-document.ts";
import { tryJson5 } from "./parse-json5.ts";
import { formatPath, isUnsafeKey, type Path } from "./path.ts";
import { losesSecret } from "./secrets.ts";
import { isRecord } from "../json.ts";

export type { Edit } from "./edit-value.ts";

/** What one edit changed, secrets masked. */
export interface Change {
  path: Path;
  /** Undefined when nothing stood there. */
  previous: unknown;
  /** Undefined when it was removed. */
  value: unknown;
}

export interface UpdatedConfig {
  file: string;
  changes: Change[];
  /** With `dryRun`: the lines of a unified diff, secrets masked. */
  diff?: string[];
}

export interface UpdateOptions extends EditPermissions {
  /** Work everything out, write nothing. */
  dryRun?: boolean | undefined;
}

/** The edits, or what makes them from the file's present value. */
export type Edits = readonly Edit[] | ((value: Record<string, unknown>) => readonly Edit[]);

/**
 * Applies edits to the configuration file, all or none, under its lock and in one atomic step; a missing file is made. The
 * version before stays as `<file>.bak`, unless it has a secret that the new one has no more: then there is none.
 * Throws `config-readonly` under OPENCLAW_CONFIG_READONLY=1, `usage` for unsafe keys and dropped entries,
 * `config-invalid` and `config-not-set` for edits that must not be, `config-unreadable`, and `internal` when the file
 * cannot be written. On any error the file is as it was.
 */
export async function updateConfig(
  options: Pick<GlobalOptions, "config">,
  runtime: Runtime,
  edits: Edits,
  update: UpdateOptions = {},
): Promise<UpdatedConfig> {
  const { file } = locateConfig(options, runtime);
  if (!update.dryRun) refuseReadOnly(file, runtime);
  // Everything is worked out before the disk is touched, so that a wrong edit makes no folder and no lock.
  const before = (await readConfigText(file)) ?? "";
  const planFor = (text: string): Plan => planUpdate(text, parseDocument(text, file), edits, update);
  const plan = planFor(before);
  if (update.dryRun) return { file, changes: plan.changes, diff: await maskedDiff(before, plan.text) };
  if (plan.text === before) return { file, changes: plan.changes };
  const planAgain = (text: string): Plan => (text === before ? plan : planFor(text));
  const { changes } = await underLock(file, readConfigText, runtime, (held) =>
    editText(held, runtime, (text) => planAgain(text ?? "")),
  );
  return { file, changes };
}

/**
 * Puts a whole new text in the place of the configuration file's, as `updateConfig` does. `before` is the
 * text that it was made from, undefined where there was no file. Throws `internal` where another program has written the
 * file since, and where it cannot be written; then it is as it was.
 */
export async function replaceConfig(
  file: string,
  before: string | undefined,
  text: string,
  runtime: Runtime,
): Promise<void> {
  const keepsBackup = !losesSecret(tryJson5(before ?? "").value, tryJson5(text).value);
  await underLock(file, readConfigText, runtime, async (held) => {
    if (await replaceIfUnchanged(held, before, { text, keepsBackup }, runtime)) return;
    throw new OpenclawError("internal", {
      message: `${file} was changed by another program meanwhile, and is not written over.`,
      hint: "openclaw config edit",
      details: { file },
    });
  });
}

interface Plan {
  text: string;
  changes: Change[];
  keepsBackup: boolean;
}

function planUpdate(
  before: string,
  current: Record<string, unknown>,
  edits: Edits,
  permissions: EditPermissions,
): Plan {
  const list = typeof edits === "function" ? edits(current) : edits;
  let plan: Pick<Plan, "text" | "changes"> & { value: unknown } = {
    text: before,
    changes: [],
    value: current,
  };
  for (const edit of list) {
    refuseUnsafeKeys(edit);
    const { text, value } = editDocument(plan.text, edit, plan.value);
    const change = {
      path: edit.path,
      previous: maskedAt(plan.value, edit.path),
      value: maskedAt(value, edit.path),
    };
    plan = { text, value, changes: [...plan.changes, change] };
  }
  checkEdit(current, plan.value, list, permissions);
  return { ...plan, keepsBackup: !losesSecret(current, plan.value) };
}

async function maskedDiff(before: string, after: string): Promise<string[]> {
  const { diffTexts } = await import("./text-diff.ts");
  return diffTexts(before, after, { before: maskDocument(before), after: maskDocument(after) });
}

function refuseUnsafeKeys(edit: Edit): void {
  const unsafe = edit.path.find(isUnsafeKey) ?? (edit.op === "unset" ? undefined : findUnsafeKey(edit.value));
  if (unsafe === undefined) return;
  throw usageError(
    `${JSON.stringify(unsafe)} in ${formatPath(edit.path)} is refused: it is not a setting but a part of JavaScript itself.`,
    "Leave the key out.",
  );
}

function findUnsafeKey(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(findUnsafeKey).find((key) => key !== undefined);
  if (!isRecord(value)) return undefined;
  return Object.keys(value).find(isUnsafeKey) ?? findUnsafeKey(Object.values(value));
}

/** Throws `config-readonly` under OPENCLAW_CONFIG_READONLY=1. */
export function refuseReadOnly(file: string, { env }: Pick<Runtime, "env">): void {
  if (isReadOnly(env["OPENCLAW_CONFIG_READONLY"])) throw readOnly(file);
}

function isReadOnly(setting: string | undefined): boolean {
  return setting !== undefined && !/^(0|false|no|off)$/i.test(setting.trim());
}

function readOnly(file: string): OpenclawError {
  return new OpenclawError("config-readonly", {
    message: `OPENCLAW_CONFIG_READONLY is set, so ${file} is not written.`,
    hint: "unset OPENCLAW_CONFIG_READONLY",
    details: { file },
  });
}
