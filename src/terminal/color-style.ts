import { Chalk } from "chalk";
import type { ColorLevel, Style } from "./color.ts";

/** The coloured Style of a level. A file of its own, so that pipes never load the colour library. */
export function colorStyle(level: ColorLevel): Style {
  const { bold, dim, red, green, yellow, blue, cyan, italic, underline } = new Chalk({ level });
  return { bold, dim, red, green, yellow, blue, cyan, italic, underline };
}
