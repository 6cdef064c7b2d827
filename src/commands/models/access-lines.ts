import type { Style } from "../../terminal/color.ts";
import type { TabledModel } from "./model-table.ts";
import { wrapText } from "../../terminal/wrap-text.ts";

/** What keeps listed models from being called: each reason once, with what to do about it, within `columns`. */
export function accessLines(models: readonly TabledModel[], columns: number, style: Style): string[] {
  const reasons = new Map<string, { hint: string | null; ids: string[] }>();
  for (const { id, access } of models) {
    if (access?.status === "unknown" || !access?.reason) continue;
    const known = reasons.get(access.reason);
    if (known) known.ids.push(id);
    else reasons.set(access.reason, { hint: access.hint, ids: [id] });
  }
  const lines: string[] = [];
  for (const [reason, { hint, ids }] of reasons) {
    lines.push("", ...wrapText(`${ids.length === 1 ? ids[0] : `${ids.length} models`}: ${reason}.`, columns));
    if (hint !== null) lines.push(...wrapText(hint, columns).map(style.dim));
  }
  return lines;
}
