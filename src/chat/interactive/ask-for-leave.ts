import type { Runtime } from "../../runtime.ts";
import { withoutSpinner } from "../../terminal/spinner.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { leaveLines } from "../tools/ask-for-leave.ts";
import type { LeaveAnswer, LeaveRequest } from "../tools/permits.ts";
import { isInterrupt, type Keyboard } from "./keyboard.ts";
import type { Key } from "./line-buffer.ts";

/** What a person who is asked for leave presses; Esc says no as well. */
const KEYS: Readonly<Record<string, LeaveAnswer>> = { y: "once", a: "always", n: "no", escape: "no" };
const ANSWERED: Readonly<Record<LeaveAnswer, string>> = {
  once: "yes",
  always: "always",
  no: "no",
};

/**
 * Asks the person at the keyboard whether a call may run, by one key; the question and the answer stay on the screen.
 * Ctrl-C is a no that calls `onInterrupt`, too; a terminal that has gone is a no. Rejects with the signal's reason.
 */
export async function askByKey(
  request: LeaveRequest,
  signal: AbortSignal,
  { runtime, screen, keyboard, onInterrupt }: LeaveAsker,
): Promise<LeaveAnswer> {
  const { terminal } = runtime;
  const style = await terminal.stderrStyle();
  return withoutSpinner(runtime, async () => {
    let answer: LeaveAnswer = "no";
    let said = "";
    const ask = (): void => {
      terminal.writeAside(`${leaveLines(request, screen.columns, style).join("\n")}\n`);
      terminal.ask(questionFor(request, screen.columns));
    };
    const isAnswer = (key: Key): boolean => {
      const meant = answerOf(key);
      return meant !== undefined && (meant !== "always" || request.offersAlways);
    };
    ask();
    try {
      for (;;) {
        const key = await keyboard.answer(isAnswer, signal);
        if (key?.name === "redraw") {
          ask();
          continue;
        }
        if (key && isInterrupt(key)) onInterrupt();
        answer = (key && answerOf(key)) ?? "no";
        said = key && isInterrupt(key) ? "^C" : ANSWERED[answer];
        return answer;
      }
    } finally {
      terminal.writeAside(`${said}\n`);
    }
  });
}

export interface LeaveAsker {
  runtime: Runtime;
  screen: Screen;
  keyboard: Pick<Keyboard, "answer">;
  /** Called for Ctrl-C, which stops more than the call that is asked about. */
  onInterrupt: () => void;
}

/** What a key says. Node says of Esc alone that it is Alt and Esc. */
function answerOf({ name = "", ctrl, meta }: Key): LeaveAnswer | undefined {
  return ctrl || (meta && name !== "escape") ? undefined : KEYS[name];
}

/** The question itself, with the keys that answer it; shorter for a narrow terminal. */
function questionFor({ offersAlways }: LeaveRequest, columns: number): string {
  if (columns < 60) return `Run it? ${offersAlways ? "[y/a/n]" : "[y/n]"}`;
  return `Run it? [y] once, ${offersAlways ? "[a] always in this session, " : ""}[n] no:`;
}
