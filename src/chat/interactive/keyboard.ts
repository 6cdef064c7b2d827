import { EventEmitter, once } from "node:events";
import { emitKeypressEvents, type Interface } from "node:readline";
import type { Runtime } from "../../runtime.ts";
import { ownSequence } from "../../terminal/neutralise.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { editLine, EMPTY_BUFFER, insertText, type Key, type LineBuffer } from "./line-buffer.ts";

const BRACKETED_PASTE_ON = ownSequence("?2004", "h");
const BRACKETED_PASTE_OFF = ownSequence("?2004", "l");

/** An Escape that nothing follows for so long is the key of that name, in ms: what a key sends comes at once. */
const ESCAPE_MS = 100;

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
  #onInterrupt: (() => void) | undefined;
  /** What the keys that wait make of a line, made key by key: a terminal without bracketed paste sends thousands at once. */
  #typed = EMPTY_BUFFER;

  constructor(runtime: Runtime, screen: Screen) {
    this.#runtime = runtime;
    this.#screen = screen;
    // Of the interface it reads nothing but this.
    emitKeypressEvents(runtime.stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
  }

  /** Takes the terminal. */
  start(): void {
    const { stdin, onExit } = this.#runtime;
    stdin.setRawMode?.(true);
    this.#screen.write(BRACKETED_PASTE_ON);
    // Node itself puts the line mode back.
    this.#forgetExit = onExit(() => this.#screen.write(BRACKETED_PASTE_OFF));
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

  /** Runs `work` with the terminal as it was, for programs that ask a person by themselves. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.stop();
    try {
      return await work();
    } finally {
      this.start();
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
    const stops = (ctrl && name === "c") || name === "escape";
    if (stops && this.#onInterrupt) this.#onInterrupt();
    else if (ctrl && name === "z") void this.#suspend();
    else this.#deliver(key);
  };

  #deliver(key: Key): void {
    this.#keys.push(key);
    this.#news.emit("change");
    if (this.#onInterrupt) this.#showTyped([key]);
  }

  /** Shows what was typed ahead, with more keys. */
  #showTyped(more: readonly Key[]): void {
    this.#typed = more.reduce(typeAhead, this.#typed);
    this.#runtime.terminal.showTyped(this.#typed.text);
  }

  async #suspend(): Promise<void> {
    await this.lend(() => this.#runtime.suspend());
    // Whoever draws has to draw again: the shell has written meanwhile.
    this.#deliver({ name: "redraw", text: "", ctrl: false, meta: false });
  }
}

/** What was typed ahead with one more key: a line that was sent has a mark at its end. */
function typeAhead(typed: LineBuffer, key: Key): LineBuffer {
  const isSent = (key.name === "return" || key.name === "enter") && !key.meta;
  if (isSent) return insertText({ ...typed, cursor: typed.text.length }, "↵ ");
  return editLine(typed, key) ?? typed;
}
