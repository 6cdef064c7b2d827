import { dayOf, ledgerFolder, periodsAt } from "../../ledger/ledger-files.ts";
import { readLedger } from "../../ledger/read-ledger.ts";
import type { Runtime } from "../../runtime.ts";
import { NANO_USD } from "./limit-store.ts";

/** What this machine's ledger has of each key in this month: nano-USD by day. Throws `internal` where it cannot be read. */
export async function readSpent(runtime: Runtime): Promise<Map<string, Map<string, number>>> {
  const { month } = periodsAt(runtime.now());
  const begin = (): Map<string, Map<string, number>> => new Map();
  return readLedger(ledgerFolder(runtime), Date.parse(month), begin, (byKey, { key, at, usd }) => {
    if (key === undefined) return;
    const days = byKey.get(key) ?? new Map<string, number>();
    days.set(dayOf(at), (days.get(dayOf(at)) ?? 0) + Math.ceil(usd * NANO_USD));
    byKey.set(key, days);
  });
}
