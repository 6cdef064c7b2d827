import type { Style } from "../../terminal/color.ts";
import { neutralise, onOneLine, ownSequence } from "../../terminal/neutralise.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { cutText } from "../../terminal/word-wrap.ts";
import type { Keyboard } from "./keyboard.ts";
import { editLine, EMPTY_BUFFER, type Key } from "./line-buffer.ts";

const ROW_START = ownSequence("", "G");
const CLEAR_BELOW = ownSequence("", "J");
/** More are seen by going down, or found by typing. */
const MOST_SHOWN = 12;

export interface Picker {
  keyboard: Keyboard;
  screen: Screen;
  style: Style;
}

/**
 * Lets a person choose one of several lines: with the arrows, by typing a part of it, with Enter. Resolves to its place
 * among them; to undefined where none was chosen. Leaves no trace. Rejects with the reason of the runtime's signal.
 */
export async function pickOne(
  lines: readonly string[],
  { keyboard, screen, style }: Picker,
): Promise<number | undefined> {
  const texts = lines.map((line) => neutralise(onOneLine(line)));
  let typed = EMPTY_BUFFER;
  let chosen = 0;
  let first = 0;
  const matching = (): number[] =>
    [...texts.keys()].filter((index) => {
      const text = (texts[index] ?? "").toLowerCase();
      return typed.text
        .toLowerCase()
        .split(/\s+/)
        .every((word) => text.includes(word));
    });
  const draw = (): void => {
    const found = matching();
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    const height = Math.max(1, Math.min(MOST_SHOWN, screen.rows - 3));
    first = Math.max(Math.min(first, chosen), chosen - height + 1);
    const room = screen.columns - 1;
    const rows = found.slice(first, first + height).map((index, row) => {
      const isChosen = first + row === chosen;
      const text = cutText(`${isChosen ? "❯" : " "} ${texts[index] ?? ""}`, room);
      return isChosen ? style.cyan(text) : text;
    });
    if (found.length === 0) rows.push(style.dim(cutText("  nothing has that", room)));
    const keys = `${found.length} of ${lines.length} · type to filter · Enter chooses · Esc leaves`;
    const all = [cutText(`? ${neutralise(typed.text)}`, room), ...rows, style.dim(cutText(keys, room))];
    const back = ownSequence(String(all.length - 1), "A");
    screen.write(`${ROW_START}${CLEAR_BELOW}${all.join("\n")}${back}${ROW_START}`);
  };
  const stopResizing = screen.onResize(draw);
  try {
    for (;;) {
      if (keyboard.isIdle) draw();
      const key = await keyboard.next();
      if (!key || leaves(key)) return undefined;
      const { name, ctrl } = key;
      if (name === "return" || name === "enter") return matching()[chosen];
      if (name === "up" || (ctrl && name === "p")) chosen = Math.max(0, chosen - 1);
      else if (name === "down" || (ctrl && name === "n")) chosen += 1;
      else {
        const edited = editLine(typed, key);
        if (edited && edited.text !== typed.text) chosen = 0;
        typed = { ...(edited ?? typed), text: onOneLine((edited ?? typed).text) };
      }
    }
  } finally {
    stopResizing();
    screen.write(`${ROW_START}${CLEAR_BELOW}`);
  }
}

function leaves({ name, ctrl }: Key): boolean {
  return name === "escape" || (ctrl && (name === "c" || name === "d" || name === "g"));
}
