/** A piece of an answer's content. An empty one says nothing but that something came. */
export interface Piece {
  kind: "text" | "reasoning";
  text: string;
}

/** A part of the content that stands between marks. */
interface Section {
  kind: Piece["kind"];
  /** Matches the mark that begins it, at the beginning of a text. */
  opening: RegExp;
  /** Matches a whole text that may become that mark. */
  begun: RegExp;
  /** What ends it. */
  closing: readonly string[];
}

const escaped = (text: string): string => text.replaceAll(/[|[\]<>/]/g, "\\$&");

/** A section whose opening mark is these parts in a row: texts, in letters of any case, and patterns between them. */
function section(
  kind: Piece["kind"],
  parts: readonly (string | RegExp)[],
  closing: readonly string[],
): Section {
  const steps = parts.flatMap((part) =>
    typeof part === "string" ? Array.from(part, escaped) : [part.source],
  );
  const begun = steps.reduceRight((rest, step) => `${step}(?:$|${rest})`, "(?!)");
  return {
    kind,
    opening: new RegExp(`^${steps.join("")}`, "i"),
    begun: new RegExp(`^(?:$|${begun})`, "i"),
    closing,
  };
}

const reasoning = (opening: string, closing: string): Section => section("reasoning", [opening], [closing]);
const element = (name: string): Section =>
  section("reasoning", [`<${name}`, /(?:\s[^<>]{0,200})?/, ">"], [`</${name}>`]);

/** What may stand between the marks of a header of harmony: who is called, and in what form. */
const HEADER = /[ !-;=?-~]{0,100}/;
/** What begins the next message of harmony is no part of the one that it ends. */
const NEXT_MESSAGE: readonly string[] = ["<|start|>", "<|channel|>"];
const END_OF_MESSAGE = ["<|end|>", "<|return|>", "<|call|>", ...NEXT_MESSAGE];

/** A message of harmony in a channel; some servers leave out its role, and the mark before its content. */
function channel(kind: Piece["kind"], name: string): Section[] {
  return [[], ["<|start|>assistant", HEADER]].flatMap((role) => {
    const header = [...role, `<|channel|>${name}`];
    return [
      section(kind, [...header, HEADER, "<|constrain|>", HEADER, "<|message|>"], END_OF_MESSAGE),
      section(kind, [...header, HEADER, "<|message|>"], END_OF_MESSAGE),
      section(kind, header, END_OF_MESSAGE),
    ];
  });
}

/**
 * What models write around their reasoning, and some around what they say, where the server leaves it in the content. Their
 * chat templates have it: `<think>` DeepSeek R1's, Qwen3's and most others', `◁think▷` Kimi's, `[THINK]` Magistral's,
 * `<seed:think>` Seed-OSS's, `<|channel>` Gemma 4's, `<|START_THINKING|>` Command A's; the other elements are what models
 * are told to write (https://docs.vllm.ai/en/latest/features/reasoning_outputs.html). The channels are those of gpt-oss, of
 * which only `final` is for a person (https://cookbook.openai.com/articles/openai-harmony). Where two begin alike, the
 * longer one stands first.
 */
const SECTIONS: readonly Section[] = [
  ...["think", "thinking", "thought", "thoughts", "reasoning", "seed:think"].map(element),
  reasoning("[think]", "[/think]"),
  reasoning("◁think▷", "◁/think▷"),
  reasoning("<|channel>thought", "<channel|>"),
  reasoning("<|START_THINKING|>", "<|END_THINKING|>"),
  reasoning("<|begin_of_thought|>", "<|end_of_thought|>"),
  section("text", ["<|START_RESPONSE|>"], []),
  section("text", ["<|begin_of_solution|>"], []),
  ...channel("reasoning", "analysis"),
  ...channel("reasoning", "commentary"),
  ...channel("text", "final"),
];
const REASONING = SECTIONS.filter(({ kind }) => kind === "reasoning");
const SAID = SECTIONS.filter(({ kind }) => kind === "text");
const CLOSING = [...new Set(REASONING.flatMap(({ closing }) => closing))].filter(
  (mark) => !NEXT_MESSAGE.includes(mark),
);
/** Longer than any mark, in characters. */
const LONGEST = 500;

/** Marks of the end of what is said: nothing follows them. */
const ENDS = ["<|return|>", "<|end|>", "<|END_RESPONSE|>", "<|END_OF_TURN_TOKEN|>", "<|end_of_solution|>"];
const LAST = new RegExp(`(?:(?:${ENDS.map(escaped).join("|")})\\s*)+$`, "i");
/** The same at the end of a text that goes on, whole or begun. */
const MAYBE_LAST = new RegExp(
  `(?:(?:${ENDS.map(escaped).join("|")})\\s*)*(?:<(?:\\|[a-z_]{0,20}\\|?)?)?$`,
  "i",
);

/**
 * Tells the reasoning in an answer's content from its text, however the content is cut into pieces. Reasoning stands at the
 * beginning, between tags; in code and in the middle of a text the same tags are text. An end that is missing is that of
 * the answer.
 */
export class ThinkTags {
  /** Whether the answer may begin inside of the tags, the opening one being part of the prompt. */
  #mayBeginInside: boolean;
  /**
   * `start`: nothing but blanks so far. `inside`: between tags. `either`: text, or reasoning whose end will tell.
   * `said`: text between marks. `text`: nothing is looked for any more.
   */
  #place: "start" | "inside" | "either" | "said" | "text" = "start";
  #closing: readonly string[] = [];
  /** What has come and is not passed on yet. */
  #held = "";
  /** How much of it was searched. */
  #searched = 0;
  /** Whether nothing more comes to what is held. */
  #isOver = false;
  /** Whether what is next begins a piece, the blanks before which are nobody's. */
  #isBlankNobodys = false;

  /**
   * With `mayBeginInside` an answer without an opening tag is held back until a closing one tells what it was:
   * https://github.com/deepseek-ai/DeepSeek-R1/issues/526.
   */
  constructor(mayBeginInside: boolean) {
    this.#mayBeginInside = mayBeginInside;
  }

  /** The server sends reasoning by itself: then the content has none before its first mark. */
  setApart(): void {
    this.#mayBeginInside = false;
  }

  /** Takes the next piece of content, and gives what of it is known by now. */
  take(content: string): Piece[] {
    if (this.#place === "text") return [{ kind: "text", text: content }];
    this.#held += content;
    const pieces: Piece[] = [];
    while (this.#step(pieces));
    return pieces;
  }

  /** What is left when the content is over. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    this.#isOver = true;
    while (this.#place !== "either" && this.#step(pieces));
    this.#isOver = false;
    const text = this.#held;
    this.#held = "";
    if (text === "") return pieces;
    if (this.#place === "inside") {
      const isNobodys = this.#isBlankNobodys && text.trim() === "";
      return isNobodys ? pieces : [...pieces, { kind: "reasoning", text }];
    }
    const said = this.#place === "said" ? text.replace(LAST, "") : text;
    if (this.#place !== "said") this.#place = "text";
    const rest = this.#isBlankNobodys ? said.trimStart() : said;
    return rest === "" ? pieces : [...pieces, { kind: "text", text: rest }];
  }

  /** Takes one step in what is held; false when it has to wait for more. */
  #step(pieces: Piece[]): boolean {
    switch (this.#place) {
      case "start":
        return this.#begin();
      case "inside":
        return this.#goOn(pieces);
      case "either":
        return this.#lookBack(pieces);
      case "said":
        return this.#say(pieces);
      case "text":
        if (this.#held !== "") pieces.push({ kind: "text", text: this.#held });
        this.#held = "";
        return false;
    }
  }

  #begin(): boolean {
    const begun = this.#held.trimStart();
    const head = begun.slice(0, LONGEST);
    const closing = CLOSING.find((mark) => startsWith(head, mark));
    const found = SECTIONS.find(({ opening }) => opening.test(head));
    const isBegun = (each: Section): boolean =>
      each.begun.test(head) && !each.opening.test(head) && isBefore(each, found);
    // A longer mark may be on its way.
    if (!this.#isOver && SECTIONS.some(isBegun)) return false;
    if (found) {
      this.#place = found.kind === "reasoning" ? "inside" : "said";
      this.#closing = found.closing;
      this.#held = begun.slice(found.opening.exec(head)?.[0].length);
      this.#isBlankNobodys = true;
      return true;
    }
    if (closing !== undefined) {
      // It ends reasoning of no words, whose opening mark is part of the prompt.
      this.#held = begun.slice(closing.length);
      this.#isBlankNobodys = true;
      return true;
    }
    if (CLOSING.some((mark) => startsWith(mark, head))) return false;
    const mayBeInside = this.#mayBeginInside && !this.#isBlankNobodys;
    this.#place = mayBeInside ? "either" : "text";
    if (this.#isBlankNobodys) this.#held = begun;
    return true;
  }

  #goOn(pieces: Piece[]): boolean {
    if (this.#isBlankNobodys) this.#held = this.#held.trimStart();
    const end = firstOf(this.#held, this.#closing);
    const tail = Math.max(...this.#closing.map((mark) => tailOf(this.#held, mark)));
    const known = end?.at ?? this.#held.length - tail;
    if (known > 0) {
      pieces.push({ kind: "reasoning", text: this.#held.slice(0, known) });
      this.#isBlankNobodys = false;
    }
    const isNext = end !== undefined && NEXT_MESSAGE.includes(end.mark);
    this.#held = this.#held.slice(end && !isNext ? known + end.mark.length : known);
    if (!end) return false;
    this.#place = "start";
    this.#isBlankNobodys = true;
    return true;
  }

  /** Passes on what is said but for the marks of its end. */
  #say(pieces: Piece[]): boolean {
    if (this.#isBlankNobodys) this.#held = this.#held.trimStart();
    const known = MAYBE_LAST.exec(this.#held)?.index ?? this.#held.length;
    if (known === 0) return false;
    pieces.push({ kind: "text", text: this.#held.slice(0, known) });
    this.#isBlankNobodys = false;
    this.#held = this.#held.slice(known);
    return false;
  }

  /** Looks for the end of reasoning that has no beginning: a closing mark, or the opening one of what is said. */
  #lookBack(pieces: Piece[]): boolean {
    const from = Math.max(0, this.#searched - LONGEST);
    const isPlain = (at: number): boolean => !isInCode(this.#held, at);
    const closing = firstOf(this.#held, CLOSING, from, isPlain);
    const [opening, said] = [REASONING, SAID].map((sections) => firstOpening(this.#held, sections, from));
    this.#searched = this.#held.length;
    const end = said && isPlain(said.at) && (!closing || said.at < closing.at) ? said : closing;
    // A text that has the opening mark, too, speaks of them.
    if (opening && (!end || opening.at < end.at)) {
      this.#place = "text";
      return true;
    }
    if (!end) {
      pieces.push({ kind: "reasoning", text: "" });
      return false;
    }
    pieces.push({ kind: "reasoning", text: this.#held.slice(0, end.at).trim() });
    this.#held = this.#held.slice(end.at + (end === said ? 0 : end.mark.length));
    this.#place = "start";
    this.#isBlankNobodys = true;
    return true;
  }
}

/** Whether a text has a mark that ends reasoning, but none that begins it: then the opening one is part of the prompt. */
export function endsUnbegunReasoning(text: string): boolean {
  const end = firstOf(text, CLOSING, 0, (at) => !isInCode(text, at));
  return end !== undefined && firstOpening(text.slice(0, end.at), REASONING) === undefined;
}

/** Whether a section stands before another in their table. */
function isBefore(one: Section, other: Section | undefined): boolean {
  return other === undefined || SECTIONS.indexOf(one) < SECTIONS.indexOf(other);
}

/** Whether a text begins with another, in letters of any case. */
function startsWith(text: string, start: string): boolean {
  return text.slice(0, start.length).toLowerCase() === start.toLowerCase();
}

/** How many characters at the end of a text may be the beginning of the mark. */
function tailOf(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1)
    if (startsWith(mark, text.slice(-length))) return length;
  return 0;
}

interface Found {
  at: number;
  mark: string;
}

/** The first of these marks in a text, in letters of any case, from a place on. */
function firstOf(
  text: string,
  marks: readonly string[],
  from = 0,
  counts: (at: number) => boolean = () => true,
): Found | undefined {
  const pattern = new RegExp(marks.map(escaped).join("|"), "gi");
  pattern.lastIndex = from;
  for (let found = pattern.exec(text); found; found = pattern.exec(text))
    if (counts(found.index)) return { at: found.index, mark: found[0].toLowerCase() };
  return undefined;
}

/** The first opening mark of these sections in a text, from a place on. */
function firstOpening(text: string, sections: readonly Section[], from = 0): Found | undefined {
  const pattern = new RegExp(sections.map(({ opening }) => opening.source.slice(1)).join("|"), "gi");
  pattern.lastIndex = from;
  const found = pattern.exec(text);
  return found ? { at: found.index, mark: found[0] } : undefined;
}

/** Whether a place is in a code fence that is still open, or between backticks of its line. */
function isInCode(text: string, at: number): boolean {
  const before = text.slice(0, at);
  const fences = before.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0;
  const ticks = before.slice(before.lastIndexOf("\n") + 1).match(/`/g)?.length ?? 0;
  return fences % 2 === 1 || ticks % 2 === 1;
}
