import { type Counts, NOTHING, sumBy } from "../../../ledger/entry.ts";
import { dayOf, ledgerFolder, monthOf } from "../../../ledger/ledger-files.ts";
import { readLedger } from "../../../ledger/read-ledger.ts";
import { formatUsd } from "../../../models/usage.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { readKeys } from "../../../serve/keys/edit-key-file.ts";
import type { ApiKey } from "../../../serve/keys/key-file.ts";
import type { Style } from "../../../terminal/color.ts";
import { formatTokens } from "../../../terminal/numbers.ts";
import { type Column, layoutTable } from "../../../terminal/table.ts";
import { namedFile } from "./add.ts";

export interface ListOptions extends GlobalOptions {
  apiKeyFile?: string;
}

/** A key, and what the ledger has of it. */
interface Listed {
  key: ApiKey;
  today: Counts;
  month: Counts;
  isExpired: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "Key" },
  { title: "Today", align: "right" },
  { title: "Month", align: "right", dropOrder: 1 },
  { title: "RPM", align: "right", dropOrder: 4 },
  { title: "TPM", align: "right", dropOrder: 3 },
  { title: "Expires", dropOrder: 2 },
  { title: "Models", dropOrder: 5, least: 12 },
];

/**
 * Lists the keys of the file with their limits, and what was spent with each today and this month, days and months of UTC,
 * by the ledger of this machine. Throws `usage` for a file that cannot be used, `internal` for a ledger that cannot be
 * read.
 */
export async function run({ apiKeyFile }: ListOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const file = namedFile(apiKeyFile);
  const keys = await readKeys(file, runtime);
  const now = new Date(runtime.now()).toISOString();
  const month = (await readLedger(ledgerFolder(runtime), Date.parse(monthOf(now)))).filter(
    ({ key }) => key !== undefined,
  );
  const byKey = sumBy(month, ({ key = "" }) => key);
  const byKeyToday = sumBy(
    month.filter(({ at }) => dayOf(at) === dayOf(now)),
    ({ key = "" }) => key,
  );
  const listed = keys.map((key) => ({
    key,
    today: byKeyToday.get(key.name) ?? NOTHING,
    month: byKey.get(key.name) ?? NOTHING,
    isExpired: key.expires !== undefined && Date.parse(key.expires) <= runtime.now(),
  }));
  if (terminal.format === "json")
    return terminal.printJson({ file, count: listed.length, keys: listed.map(toDocument) });
  const lines = terminal.isStdoutTTY
    ? tableLines(listed, terminal.columns, await terminal.stdoutStyle())
    : listed.map(tabLine);
  if (lines.length > 0) await terminal.print(lines.join("\n"));
  else terminal.note(`${file} holds no key.`);
}

function toDocument({ key, today, month, isExpired }: Listed): object {
  const { name, models, rpm, tpm, dailyBudgetUsd, monthlyBudgetUsd, expires, created } = key;
  const limits = { models, rpm, tpm, dailyBudgetUsd, monthlyBudgetUsd, expires };
  return { name, ...limits, created, isExpired, today: countsOf(today), month: countsOf(month) };
}

function countsOf({ calls, inputTokens, outputTokens, usd, unpriced }: Counts): object {
  return { calls, inputTokens, outputTokens, usd, unpricedCalls: unpriced };
}

function tableLines(listed: readonly Listed[], columns: number, style: Style): string[] {
  const rows = listed.map(({ key, today, month, isExpired }) => [
    { text: key.name, look: isExpired ? style.dim : style.cyan },
    spent(today, key.dailyBudgetUsd),
    spent(month, key.monthlyBudgetUsd),
    key.rpm === undefined ? "" : String(key.rpm),
    key.tpm === undefined ? "" : formatTokens(key.tpm),
    isExpired ? "over" : (key.expires?.slice(0, "2026-11-26".length) ?? ""),
    { text: key.models?.join(", ") ?? "", look: style.dim },
  ]);
  return layoutTable(COLUMNS, rows, columns, style.bold);
}

/** What was spent, of what may be. */
function spent({ usd }: Counts, limit: number | undefined): string {
  return `$${formatUsd(usd)}${limit === undefined ? "" : ` of $${formatUsd(limit)}`}`;
}

function tabLine({ key, today, month }: Listed): string {
  const { name, rpm, tpm, dailyBudgetUsd, monthlyBudgetUsd, expires, models } = key;
  const cells = [
    today.usd,
    dailyBudgetUsd,
    month.usd,
    monthlyBudgetUsd,
    rpm,
    tpm,
    expires,
    models?.join(","),
  ];
  return [name, ...cells.map((cell) => cell ?? "")].join("\t");
}
