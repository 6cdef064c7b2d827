import { addTo, type Counts, NOTHING } from "../../../ledger/entry.ts";
import { dayOf, ledgerFolder, monthOf } from "../../../ledger/ledger-files.ts";
import { readLedger } from "../../../ledger/read-ledger.ts";
import { formatUsd } from "../../../models/usage.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { readKeys } from "../../../serve/keys/edit-key-file.ts";
import type { ApiKey } from "../../../serve/keys/key-file.ts";
import type { Style } from "../../../terminal/color.ts";
import { formatLimitColumn } from "../../../terminal/numbers.ts";
import { printList } from "../../../terminal/print-list.ts";
import type { Cell, Column } from "../../../terminal/table.ts";
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
  const begin = (): Record<"today" | "month", Map<string, Counts>> => ({
    today: new Map(),
    month: new Map(),
  });
  const spent = await readLedger(ledgerFolder(runtime), Date.parse(monthOf(now)), begin, (sums, entry) => {
    if (entry.key === undefined) return;
    addTo(sums.month, entry.key, entry);
    if (dayOf(entry.at) === dayOf(now)) addTo(sums.today, entry.key, entry);
  });
  const listed = keys.map((key) => ({
    key,
    today: spent.today.get(key.name) ?? NOTHING,
    month: spent.month.get(key.name) ?? NOTHING,
    isExpired: key.expires !== undefined && Date.parse(key.expires) <= runtime.now(),
  }));
  if (terminal.format === "json")
    return terminal.printJson({ file, count: listed.length, keys: listed.map(toDocument) });
  await printList(
    {
      items: listed,
      columns: COLUMNS,
      toCells: cellsOf(listed),
      toFields: fieldsOf,
      nothing: `${terminal.foreign(file)} holds no key.`,
    },
    terminal,
  );
}

function toDocument({ key, today, month, isExpired }: Listed): object {
  const { name, models, rpm, tpm, dailyBudgetUsd, monthlyBudgetUsd, expires, created } = key;
  const limits = { models, rpm, tpm, dailyBudgetUsd, monthlyBudgetUsd, expires };
  return { name, ...limits, created, isExpired, today: countsOf(today), month: countsOf(month) };
}

function countsOf({ calls, inputTokens, outputTokens, usd, unpriced }: Counts): object {
  return { calls, inputTokens, outputTokens, usd, unpricedCalls: unpriced };
}

function cellsOf(listed: readonly Listed[]) {
  const perMinute = formatLimitColumn(listed.flatMap(({ key }) => key.tpm ?? []));
  return ({ key, today, month, isExpired }: Listed, style: Style): Cell[] => [
    { text: key.name, look: isExpired ? style.dim : style.cyan },
    spentOf(today, key.dailyBudgetUsd),
    spentOf(month, key.monthlyBudgetUsd),
    key.rpm === undefined ? "" : String(key.rpm),
    key.tpm === undefined ? "" : perMinute(key.tpm),
    isExpired ? "over" : (key.expires?.slice(0, "2026-11-26".length) ?? ""),
    { text: key.models?.join(", ") ?? "", look: style.dim },
  ];
}

/** What was spent, of what may be. */
function spentOf({ usd }: Counts, limit: number | undefined): string {
  return `$${formatUsd(usd)}${limit === undefined ? "" : ` of $${formatUsd(limit)}`}`;
}

function fieldsOf({ key, today, month }: Listed): (string | number)[] {
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
  return [name, ...cells.map((cell) => cell ?? "")];
}
