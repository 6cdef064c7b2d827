import JSON5 from "json5";
import { OpenclawError } from "../errors.ts";
import { DEEPEST, type Path, type PathSegment } from "./path.ts";

/** A stretch of text: from `start` up to, not including, `end`, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

export interface Comment extends Span {
  /** `// …`, which needs a line end after it. */
  isLine: boolean;
}

export interface Member extends Span {
  key: PathSegment;
  /** The key with its quotes; undefined in a list. */
  keySpan: Span | undefined;
  value: Node;
  /** Where the comma after the value is. */
  comma: number | undefined;
}

export type Node =
  | (Span & { kind: "scalar" })
  | (Span & { kind: "object" | "list"; members: readonly Member[] });
export type Container = Extract<Node, { members: readonly Member[] }>;

export interface ScannedDocument {
  /** Undefined when the text holds nothing but white space and comments. */
  root: Node | undefined;
  comments: readonly Comment[];
}

const WHITE_SPACE = /\s+/y;
const LINE_COMMENT = /\/\/[^\n\r\u2028\u2029]*/y;
const BLOCK_COMMENT = /\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//y;
const DOUBLE_QUOTED = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const SINGLE_QUOTED = /'[^'\\]*(?:\\[^][^'\\]*)*'/y;
const BARE = /[^\s,:[\]{}/]+/y;

/**
 * Finds where every value, key, comma and comment of a JSON5 text stands. The text must be valid: parse it first.
 * Throws `config-invalid` when values are nested more than 500 deep.
 */
export function scanDocument(text: string): ScannedDocument {
  const scanner = new Scanner(text);
  scanner.skip();
  const root = scanner.isAtEnd ? undefined : scanner.node(0);
  scanner.skip();
  return { root, comments: scanner.comments };
}

/** The members of a container by their keys, made when one of them is first looked for: there may be thousands. */
const membersByKey = new WeakMap<Container, ReadonlyMap<PathSegment, Member>>();

/** The member that counts: of several with one key, JSON5 takes the last. */
export function findMember(container: Container, key: PathSegment): Member | undefined {
  let byKey = membersByKey.get(container);
  if (!byKey) {
    byKey = new Map(container.members.map((member) => [member.key, member]));
    membersByKey.set(container, byKey);
  }
  return byKey.get(key);
}

/** A node and all that are in it with their paths, in the order of the text. */
export function listNodes(node: Node, path: Path = []): { node: Node; path: Path }[] {
  const inner = node.kind === "scalar" ? [] : node.members;
  return [{ node, path }, ...inner.flatMap(({ key, value }) => listNodes(value, [...path, key]))];
}

/** How far a path leads in a document. */
export interface Place {
  /** The deepest node on the path. */
  node: Node;
  /** The member that holds it, and the container that holds that; undefined for the root. */
  member: Member | undefined;
  parent: Container | undefined;
  /** The keys that lead on from `node` and do not exist. */
  rest: Path;
}

/** Follows a path as far as it leads. */
export function followPath(root: Node, path: Path): Place {
  let place: Place = { node: root, member: undefined, parent: undefined, rest: path };
  for (const [depth, key] of path.entries()) {
    const { node: parent } = place;
    const member = parent.kind === "scalar" ? undefined : findMember(parent, key);
    if (parent.kind === "scalar" || member === undefined) break;
    place = { node: member.value, member, parent, rest: path.slice(depth + 1) };
  }
  return place;
}

/** True when `inner` lies in `outer`. */
export function isInside(inner: Span, outer: Span): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

class Scanner {
  readonly comments: Comment[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Passes white space and comments. */
  skip(): void {
    for (;;) {
      this.#take(WHITE_SPACE);
      if (this.#peek() !== "/") return;
      const start = this.#at;
      const isLine = this.#take(LINE_COMMENT);
      if (!isLine && !this.#take(BLOCK_COMMENT)) this.#fail("a comment");
      this.comments.push({ start, end: this.#at, isLine });
    }
  }

  node(depth: number): Node {
    if (depth > DEEPEST) {
      throw new OpenclawError("config-invalid", {
        message: `The configuration is nested more than ${DEEPEST} deep.`,
        hint: "openclaw config edit",
      });
    }
    const character = this.#peek();
    if (character === "{") return this.#container("object", "}", depth);
    if (character === "[") return this.#container("list", "]", depth);
    return { kind: "scalar", ...this.#scalar() };
  }

  #container(kind: "object" | "list", close: string, depth: number): Container {
    const start = this.#at;
    const members: Member[] = [];
    this.#at += 1;
    this.skip();
    while (this.#peek() !== close) {
      const memberStart = this.#at;
      let key: PathSegment = members.length;
      let keySpan: Span | undefined;
      if (kind === "object") {
        keySpan = this.#scalar();
        key = readKey(this.#text.slice(keySpan.start, keySpan.end));
        this.skip();
        this.#expect(":");
        this.skip();
      }
      const value = this.node(depth + 1);
      this.skip();
      const comma = this.#peek() === "," ? this.#at : undefined;
      members.push({ start: memberStart, end: value.end, key, keySpan, value, comma });
      if (comma === undefined) break;
      this.#at += 1;
      this.skip();
    }
    this.#expect(close);
    return { kind, start, end: this.#at, members };
  }

  /** A string, or a run of characters up to the next delimiter: a key, a number, true, false, null. */
  #scalar(): Span {
    const start = this.#at;
    const quote = this.#peek();
    const pattern = quote === '"' ? DOUBLE_QUOTED : quote === "'" ? SINGLE_QUOTED : BARE;
    if (!this.#take(pattern)) this.#fail("a key or value");
    return { start, end: this.#at };
  }

  /** Passes what matches a sticky pattern here. Returns whether anything does. */
  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #expect(character: string): void {
    if (this.#peek() !== character) this.#fail(character);
    this.#at += 1;
  }

  #fail(expected: string): never {
    throw new Error(
      `Expected ${expected} at offset ${this.#at} of a document that was said to be valid JSON5`,
    );
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }
}

function readKey(source: string): string {
  const quote = source[0];
  if (!source.includes("\\")) return quote === '"' || quote === "'" ? source.slice(1, -1) : source;
  return Object.keys(JSON5.parse<Record<string, unknown>>(`{${source}:0}`))[0] ?? "";
}
