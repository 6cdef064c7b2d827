import { EventEmitter, once } from "node:events";
import { emitKeypressEvents, type Interface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import type { Runtime } from "../../runtime.ts";
import { ownSequence } from "../../terminal/neutralise.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { editLine, EMPTY_BUFFER, insertText, isCharacter, type Key, type LineBuffer } from "./line-buffer.ts";

const BRACKETED_PASTE_ON = ownSequence("?2004", "h");
const BRACKETED_PASTE_OFF = ownSequence("?2004", "l");

/** An Escape that nothing follows for so long is the key of that name, in ms: what a key sends comes at once. */
const ESCAPE_MS = 100;

/** A key that others follow within this is a part of a text, and answers nothing, in ms. */
const ALONE_MS = 30;
/** Who types on is not answering, until they have paused for so long, in ms. */
const PAUSE_MS = 400;

/** What node:readline says of a key. */
interface Keypress {
  name?: string;
  sequence?: string;
  ctrl?: boolean;
  meta?: boolean;
}

/**
 * The keys of the terminal, one after the other, those that were pressed while nobody asked, too. It takes the terminal
 * out of line mode, and gives it back whatever ends the process.
 */
export class Keyboard {
  readonly #runtime: Runtime;
  readonly #screen: Screen;
  readonly #keys: Key[] = [];
  /** Tells with `change` that a key has come, or that none will any more. */
  readonly #news = new EventEmitter();
  /** Text of a paste that has not ended. */
  #paste: string[] | undefined;
  #hasEnded = false;
  #forgetExit: (() => void) | undefined;
  #forgetContinue: (() => void) | undefined;
  #onInterrupt: (() => void) | undefined;
  /** The keys that were pressed since a question stands that one key answers; undefined while there is none. */
  #answers: Key[] | undefined;
  /** When the last key came, in ms of `elapsed`. */
  #pressedAt = Number.NEGATIVE_INFINITY;
  /** What the keys that wait make of a line, made key by key: a terminal without bracketed paste sends thousands at once. */
  #typed = EMPTY_BUFFER;

  constructor(runtime: Runtime, screen: Screen) {
    this.#runtime = runtime;
    this.#screen = screen;
    // Of the interface it reads nothing but this.
    emitKeypressEvents(runtime.stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
  }

  /** Takes the terminal as soon as it may, unless the command is ending. */
  async start(): Promise<void> {
    const { stdin, onExit, onContinue, signal, untilForeground } = this.#runtime;
    await untilForeground();
    if (signal.aborted) return;
    stdin.setRawMode?.(true);
    this.#screen.write(BRACKETED_PASTE_ON);
    // Node itself puts the line mode back.
    this.#forgetExit = onExit(() => this.#screen.write(BRACKETED_PASTE_OFF));
    // A `kill -STOP` from elsewhere asks nobody before.
    this.#forgetContinue = onContinue(() => void this.#takeAgain(async () => undefined));
    stdin.on("keypress", this.#onKeypress);
    stdin.on("end", this.#onEnd);
    stdin.on("error", this.#onEnd);
    stdin.resume();
  }

  /** Gives the terminal back. */
  stop(): void {
    const { stdin } = this.#runtime;
    if (!this.#forgetExit) return;
    stdin.off("keypress", this.#onKeypress);
    stdin.off("end", this.#onEnd);
    stdin.off("error", this.#onEnd);
    stdin.pause();
    stdin.setRawMode?.(false);
    this.#screen.write(BRACKETED_PASTE_OFF);
    this.#forgetExit();
    this.#forgetExit = undefined;
    this.#forgetContinue?.();
  }

  /** Lets whoever reads stdin next have the keys that were not read. To be called when the terminal is given back. */
  giveBack(): void {
    const typed = this.#keys.splice(0).map(({ text }) => text);
    if (typed.length > 0) this.#runtime.stdin.unshift(Buffer.from(typed.join("")));
  }

  /** The next key; undefined when the terminal has gone. Rejects with the reason of the runtime's signal. */
  async next(): Promise<Key | undefined> {
    const { signal } = this.#runtime;
    signal.throwIfAborted();
    if (this.isIdle && !this.#hasEnded)
      await once(this.#news, "change", { signal }).catch(() => signal.throwIfAborted());
    return this.#keys.shift();
  }

  /** Puts a key back that was meant for somebody else: it is the next one. */
  putBack(key: Key): void {
    this.#keys.unshift(key);
  }

  /** Whether no key is waiting to be read. */
  get isIdle(): boolean {
    return this.#keys.length === 0;
  }

  /** Runs `work`; meanwhile Ctrl-C and Esc call `onInterrupt` at once, and the other keys wait, and are shown. */
  async whileBusy<T>(onInterrupt: () => void, work: () => Promise<T>): Promise<T> {
    this.#onInterrupt = onInterrupt;
    this.#typed = EMPTY_BUFFER;
    this.#showTyped(this.#keys);
    try {
      return await work();
    } finally {
      this.#onInterrupt = undefined;
      this.#runtime.terminal.showTyped("");
    }
  }

  /**
   * Resolves to a key that answers a question about what goes on: the first that `isAnswer` takes, or that interrupts, or
   * says that all has to be drawn again; undefined when the terminal has gone. What was typed before there was a question,
   * pasted, or typed on without a pause is no answer, and waits for whoever reads next. Rejects with the signal's reason.
   */
  async answer(isAnswer: (key: Key) => boolean, signal: AbortSignal): Promise<Key | undefined> {
    const { elapsed } = this.#runtime;
    const keys: Key[] = [];
    let isTyping = !this.isIdle && elapsed() - this.#pressedAt < PAUSE_MS;
    /** A letter that is no answer: a slip, or the first of a text that somebody types. */
    let stray: Key[] = [];
    this.#answers = keys;
    try {
      for (;;) {
        const before = this.#pressedAt;
        signal.throwIfAborted();
        if (keys.length === 0 && this.#hasEnded) return undefined;
        if (keys.length === 0)
          await once(this.#news, "change", { signal }).catch(() => signal.throwIfAborted());
        // What a terminal without bracketed paste sends of a text comes at once, if not always in one piece.
        for (let count = -1; count !== keys.length;) {
          count = keys.length;
          await setTimeout(ALONE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
        }
        const pressed = keys.splice(0);
        const acting = pressed.find((key) => key.name === "redraw" || isInterrupt(key));
        if (acting) {
          this.#keys.push(...pressed.filter((key) => key !== acting));
          return acting;
        }
        const [first, second, ...more] = pressed;
        if (!first) continue;
        const hasPaused = this.#pressedAt - before >= PAUSE_MS;
        if (hasPaused) stray = [];
        isTyping &&= !hasPaused;
        // Some press Enter behind it.
        const isAlone = more.length === 0 && (second === undefined || isEnter(second));
        if (isAlone && isAnswer(first) && !(isTyping && isCharacter(first))) return first;
        if (isAlone && !isTyping && first.name !== "paste") {
          if (isCharacter(first)) [stray, isTyping] = [pressed, true];
          continue;
        }
        isTyping = true;
        const typed = [...stray.splice(0), ...pressed];
        this.#keys.push(...typed);
        this.#showTyped(typed);
      }
    } finally {
      this.#answers = undefined;
      this.#keys.push(...keys);
    }
  }

  /** Runs `work` with the terminal as it was, for programs that ask a person by themselves. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.stop();
    try {
      return await work();
    } finally {
      await this.start();
    }
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#news.emit("change");
  };

  readonly #onKeypress = (character: string | undefined, keypress: Keypress): void => {
    const { name, sequence = "", ctrl = false, meta = false } = keypress;
    if (name === "paste-start") {
      this.#paste = [];
      return;
    }
    if (this.#paste) {
      if (name !== "paste-end") this.#paste.push(character ?? sequence);
      else {
        const text = this.#paste.join("").replaceAll(/\r\n?/g, "\n");
        this.#paste = undefined;
        this.#deliver({ name: "paste", text, ctrl: false, meta: false });
      }
      return;
    }
    const key: Key = { name, text: character ?? sequence, ctrl, meta };
    const stops = isInterrupt(key) || name === "escape";
    if (stops && this.#onInterrupt && !this.#answers) this.#onInterrupt();
    else if (ctrl && name === "z") void this.#takeAgain(() => this.#runtime.suspend());
    else this.#deliver(key);
  };

  #deliver(key: Key): void {
    this.#pressedAt = this.#runtime.elapsed();
    (this.#answers ?? this.#keys).push(key);
    this.#news.emit("change");
    if (this.#onInterrupt && !this.#answers) this.#showTyped([key]);
  }

  /** Shows what was typed ahead, with more keys. */
  #showTyped(more: readonly Key[]): void {
    this.#typed = more.reduce(typeAhead, this.#typed);
    this.#runtime.terminal.showTyped(this.#typed.text);
  }

  /** Takes the terminal as it takes it at first, behind what had it meanwhile: a shell that has the process go on. */
  async #takeAgain(meanwhile: () => Promise<void>): Promise<void> {
    await this.lend(meanwhile);
    // Whoever draws has to draw again: the shell has written meanwhile.
    this.#deliver({ name: "redraw", text: "", ctrl: false, meta: false });
  }
}

/** What was typed ahead with one more key: a line that was sent has a mark at its end. */
function typeAhead(typed: LineBuffer, key: Key): LineBuffer {
  if (isEnter(key) && !key.meta) return insertText({ ...typed, cursor: typed.text.length }, "↵ ");
  return editLine(typed, key) ?? typed;
}

function isEnter({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

/** Whether a key is Ctrl-C. */
export function isInterrupt({ ctrl, name }: Key): boolean {
  return ctrl && name === "c";
}
