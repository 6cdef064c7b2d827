import { callableId, isContextVariant, profileNamed, profileNeeded, streamsText } from "./callable.ts";
import { baseModelId, withoutPrefix } from "./base-model-id.ts";
import type { Discovered, FoundationModel } from "./discovered.ts";
import { listedBase } from "./listed-id.ts";
import { compareText } from "./model-order.ts";
import { compareVersions, foldedForms, foldName, type NameWords, readWords } from "./name-words.ts";
import { editDistance } from "../edit-distance.ts";
import { nearestIds } from "./nearest.ts";
import type { Steps } from "../next-turn.ts";
import { MANTLE } from "./provider-api.ts";

/** What somebody may have meant: AWS's list of one region, and what is known beside it. */
export interface Nameable {
  discovered: Discovered;
  /** Ids of Amazon Bedrock's that the configuration names: they go before other ways to the same model. */
  configuredIds?: readonly string[] | undefined;
  /** Whether this account is known to be refused a base model. */
  isBarred?: ((baseId: string) => boolean) | undefined;
}

/** What a name stands for. Ids are what can be called, newest first. */
export type NameMatch =
  | { kind: "one"; id: string; name: string }
  | { kind: "several"; ids: readonly string[] }
  | Uncallable
  | { kind: "none" };

/** A model that is listed and cannot be called by that name. */
interface Uncallable {
  kind: "uncallable";
  base: FoundationModel;
  /** What it is called by without the geography that the name begins with. */
  otherId: string | undefined;
  /** The global profile, where nothing else reaches it. */
  globalId: string | undefined;
  successor: string | undefined;
}

interface Candidate {
  base: FoundationModel;
  /** What it is called by; undefined where it cannot be called. */
  id: string | undefined;
  /** By its printed name and by its id. */
  spellings: readonly NameWords[];
  /** Name and id whole, folded: with its vendor and without, with the release and without. */
  forms: ReadonlySet<string>;
  /** Every word of both. */
  words: ReadonlySet<string>;
  family: ReadonlySet<string>;
  vendor: ReadonlySet<string>;
  version: readonly number[];
}

/**
 * Finds the model that a name stands for: a printed name or a part of an id, in any case, with any punctuation; else the
 * newest that can be called of a family, by its version. A name may begin with the geography of a profile, which is the
 * only way to a global one.
 */
export function matchName(typed: string, nameable: Nameable): NameMatch {
  const { discovered } = nameable;
  const exact = findRespelled(typed, discovered) ?? profileByName(typed, discovered);
  if (exact) return exact;
  const { prefix, rest } = splitPrefix(typed, discovered);
  const candidates = candidatesOf(nameable, prefix);
  let asked = readWords(rest);
  let fitting = fit(asked, rest, candidates);
  if (fitting.length === 0) {
    // The name of a vendor may hold a number, which reads as a version.
    const [vendor = ""] = /^[\p{L}\p{N}]+(?=[^\p{L}\p{N}])/u.exec(rest) ?? [];
    const ofVendor = candidates.filter(({ base }) => base.id.startsWith(`${vendor.toLowerCase()}.`));
    asked = readWords(rest.slice(vendor.length));
    fitting = fit(asked, rest.slice(vendor.length), ofVendor);
  }
  if (fitting.length === 0) return { kind: "none" };
  const callable = fitting.filter(({ id }) => id !== undefined);
  const [first] = newestFirst(fitting);
  if (callable.length === 0 && first) {
    const { base } = first;
    const otherId = candidatesOf(nameable).find((other) => other.base.id === base.id)?.id;
    const globalId =
      base.lifecycle === "ACTIVE" ? profileNamed("global", base.id, discovered)?.id : undefined;
    return { kind: "uncallable", base, otherId, globalId, successor: successorOf(base.id, nameable) };
  }
  const chosen = choose(asked, callable);
  if (chosen?.id !== undefined) return { kind: "one", id: chosen.id, name: chosen.base.name };
  return { kind: "several", ids: idsOf(newestFirst(callable)) };
}

/**
 * What can be called in place of a model that has ended, is legacy or was refused: the newest of its family. Undefined
 * when there is none.
 */
export function successorOf(refused: string, nameable: Nameable): string | undefined {
  const base = listedBase(refused, nameable.discovered);
  const plain = base?.id ?? baseModelId(refused) ?? refused;
  const { family } = base ? candidateOf(base, undefined) : wordsOfId(plain);
  const vendor = plain.split(".", 1)[0] ?? "";
  const callable = candidatesOf(nameable).filter(
    (candidate) =>
      candidate.id !== undefined && candidate.base.id !== plain && candidate.base.id.startsWith(`${vendor}.`),
  );
  const same = callable.filter(
    (candidate) => isSubset(candidate.family, family) && isSubset(family, candidate.family),
  );
  const wider = callable.filter((candidate) => family.size > 0 && isSubset(family, candidate.family));
  const [best] = idsOf(newestFirst(same.length > 0 ? same : wider));
  return best && spokenOf(best, nameable.discovered);
}

/**
 * What can be called and may have been meant by a text that stands for nothing: `others` of nearly the same spelling; of
 * the family that it names, a slip or not, the very version, else the newest; else what is spelled nearly so.
 */
export function suggestIds(typed: string, nameable: Nameable, others: readonly string[] = []): string[] {
  const { rest } = splitPrefix(typed, nameable.discovered);
  const all = candidatesOf(nameable);
  const asked = readWords(rest);
  const known = new Set(all.flatMap(({ family }) => [...family]));
  const vendors = new Set(all.flatMap(({ vendor }) => [...vendor]));
  const meant = new Set<string>();
  let hasUnknown = false;
  for (const word of [...asked.family].slice(0, MOST_WORDS)) {
    const near = known.has(word) ? word : vendors.has(word) ? undefined : nearestWord(word, known);
    if (near !== undefined) meant.add(near);
    else hasUnknown ||= !vendors.has(word);
  }
  const fitting = newestFirst(all.filter(({ id, words }) => id !== undefined && isSubset(meant, words)));
  const isOfVersion = ({ version }: Candidate): boolean =>
    asked.version.length > 0 && compareVersions(version, asked.version) === 0;
  const family = meant.size === 0 ? [] : [...fitting.filter(isOfVersion), ...fitting];
  // Who mistypes a name leaves out what stands before it.
  const forms = new Map(
    fitting.flatMap(({ id = "", base }) =>
      [id, base.id, base.id.slice(base.id.indexOf(".") + 1), base.name].map((form) => [form, id] as const),
    ),
  );
  const spelledNearly = nearestIds(withoutPrefix(typed), [...forms.keys()], forms.size).map(
    (form) => forms.get(form) ?? form,
  );
  // Of a whole id only the release may be wrong.
  const exact = idsOf(newestFirst(fit(asked, rest, fitting)));
  const near = hasUnknown || meant.size === 0 ? spelledNearly : [];
  return [...new Set([...nearestIds(typed, others), ...exact, ...near, ...idsOf(family)])]
    .filter((id) => id !== typed)
    .slice(0, LONGEST_LIST)
    .map((id) => spokenOf(id, nameable.discovered));
}

/** How a person names a model of a list: by its id, or where that would be one of AWS's other endpoint by its key. */
export function spokenOf(id: string, { endpoint }: Discovered): string {
  return endpoint === "bedrock-mantle" ? `${MANTLE}/${id}` : id;
}

/** So many words of a text are looked at: a name has fewer, and what stands for nothing may be long. */
const MOST_WORDS = 12;

/** The word that one is a slip of: at most a letter in four is wrong, or letters have changed places. */
function nearestWord(word: string, known: ReadonlySet<string>): string | undefined {
  const letters = (text: string): string => [...text].sort().join("");
  const [nearest] = [...known]
    .filter((other) => Math.min(word.length, other.length) > 3)
    .map((other) => ({
      other,
      wrong: letters(other) === letters(word) ? 1 : editDistance(word, other),
    }))
    .filter(({ wrong }) => wrong <= Math.max(1, Math.floor(word.length / 4)))
    .sort((left, right) => left.wrong - right.wrong);
  return nearest?.other;
}

const LONGEST_LIST = 3;

/** Finds an id of the list that is written in another case, or with other punctuation: `Anthropic.Claude-Opus-4.8`. */
function findRespelled(typed: string, discovered: Discovered): NameMatch | undefined {
  const folded = foldName(typed);
  const named = discovered.profiles.find(
    ({ id, isApplication }) => !isApplication && foldName(id) === folded,
  );
  if (named) return { kind: "one", id: named.id, name: named.name };
  const base = discovered.models.find(({ id }) => foldName(id) === folded);
  if (!base) return undefined;
  const profile = profileNeeded(base.id, discovered);
  return { kind: "one", id: profile?.id ?? base.id, name: base.name };
}

/** An application profile by the name or id that the account gave it. */
function profileByName(typed: string, { profiles }: Discovered): NameMatch | undefined {
  const folded = foldName(typed);
  const named = profiles.filter(
    ({ id, name, isApplication, isActive }) =>
      isApplication && isActive && (foldName(name) === folded || id === typed),
  );
  const [only] = named;
  return named.length === 1 && only ? { kind: "one", id: only.arn, name: only.name } : undefined;
}

/** Takes the geography of a profile from the beginning of a name: `global opus`, `us.claude-opus-4-8`. */
function splitPrefix(typed: string, { profiles }: Discovered): { prefix: string | undefined; rest: string } {
  const prefixes = profiles.flatMap(({ id, isApplication }) => {
    const plain = withoutPrefix(id);
    return isApplication || plain === id ? [] : [id.slice(0, id.length - plain.length - 1)];
  });
  // `us-gov` before `us`.
  for (const prefix of [...new Set(prefixes)].sort((left, right) => right.length - left.length)) {
    const words = prefix.replaceAll("-", "[-\\s_.]");
    const match = new RegExp(`^${words}[\\s._/-]+(?=\\S)`, "i").exec(typed);
    if (match) return { prefix, rest: typed.slice(match[0].length) };
  }
  return { prefix: undefined, rest: typed };
}

function candidatesOf(nameable: Nameable, prefix?: string): Candidate[] {
  const { discovered, configuredIds = [], isBarred = () => false } = nameable;
  const configured = new Map(
    configuredIds.flatMap((id) => {
      const base = listedBase(id, discovered);
      return base ? [[base.id, id] as const] : [];
    }),
  );
  const wayTo = (base: FoundationModel): string | undefined => {
    if (isBarred(base.id)) return undefined;
    const id = callableId(base, discovered);
    if (prefix !== undefined)
      return base.lifecycle === "ACTIVE" ? profileNamed(prefix, base.id, discovered)?.id : undefined;
    return (base.lifecycle === "ACTIVE" ? configured.get(base.id) : undefined) ?? id;
  };
  // The variants for provisioned throughput have the names of their models.
  return discovered.models
    .filter((base) => streamsText(base) && !isContextVariant(base.id))
    .map((base) => candidateOf(base, wayTo(base)));
}

function candidateOf(base: FoundationModel, id: string | undefined): Candidate {
  const known = parsed.get(base) ?? parse(base);
  parsed.set(base, known);
  return { ...known, base, id };
}

/** What the models of a list go by: a server looks names up in the same list for an hour. */
const parsed = new WeakMap<FoundationModel, Omit<Candidate, "base" | "id">>();

/** Reads the names of a list ahead, for whoever looks others up in it: those of 1,500 models take 90 ms. */
export function* readingNames({ models }: Discovered): Steps<void> {
  for (const model of models) {
    candidateOf(model, undefined);
    yield;
  }
}

function parse({ id, name, provider }: FoundationModel): Omit<Candidate, "base" | "id"> {
  const named = readWords(name);
  const spelled = wordsOfId(id);
  return {
    spellings: [named, spelled],
    forms: foldedForms(id, [name, `${provider} ${name}`, `${id.split(".", 1)[0]} ${name}`]),
    words: new Set([...named.words, ...spelled.words]),
    family: new Set([...named.family, ...spelled.family]),
    vendor: new Set([...readWords(provider).words, ...readWords(id.split(".", 1)[0] ?? "").words]),
    version: named.version.length > 0 ? named.version : spelled.version,
  };
}

function wordsOfId(id: string): NameWords {
  return readWords(id.slice(id.indexOf(".") + 1));
}

/**
 * The candidates that a name fits best: to the letter, by all its words, by its version, by the beginning of its version,
 * or by its words only.
 */
function fit(asked: NameWords, typed: string, candidates: readonly Candidate[]): readonly Candidate[] {
  const folded = foldName(typed);
  const spelled = candidates.filter(({ forms }) => forms.has(folded));
  if (spelled.length > 0 || asked.family.size === 0 || folded.length < 2) return spelled;
  const named = candidates.filter(({ words, vendor }) =>
    [...asked.words].every((word) => words.has(word) || vendor.has(word)),
  );
  const tries: ((candidate: Candidate) => boolean)[] = [
    ({ spellings, vendor }) =>
      spellings.some(
        ({ words, version }) =>
          compareVersions(version, asked.version) === 0 &&
          isSubset(words, asked.words) &&
          isSubset(asked.words, new Set([...words, ...vendor])),
      ),
    ({ spellings }) =>
      asked.version.length > 0 &&
      spellings.some(({ version }) => compareVersions(version, asked.version) === 0),
    ({ spellings }) =>
      spellings.some(({ version }) => asked.version.every((number, index) => version[index] === number)),
  ];
  return tries.map((fits) => named.filter(fits)).find((found) => found.length > 0) ?? [];
}

/** The one among several that a name means: of one family the newest, unless the name has a version. */
function choose(asked: NameWords, fitting: readonly Candidate[]): Candidate | undefined {
  // Mistral Large 3 is called mistral; Pixtral is of the vendor only.
  const ownWords = ({ words }: Candidate): number =>
    [...asked.words].filter((word) => words.has(word)).length;
  const most = Math.max(...fitting.map(ownWords));
  const [first, ...rest] = newestFirst(fitting.filter((candidate) => ownWords(candidate) === most));
  if (!first || rest.length === 0) return first;
  if (most === 0 || rest.some(({ base }) => base.provider !== first.base.provider)) return undefined;
  const rivals = rest.filter(
    (other) =>
      (asked.version.length > 0 || compareVersions(other.version, first.version) === 0) &&
      !isOlder(other, first),
  );
  return rivals.length === 0 ? first : undefined;
}

/** Whether a model is an earlier release of another: same name, same size, same version, an older date. */
function isOlder(model: Candidate, other: Candidate): boolean {
  const dateless = ({ words }: Candidate): string =>
    [...words]
      .filter((word) => !/^(?:\d{4,}|v\d+)$/.test(word))
      .sort()
      .join(" ");
  return dateless(model) === dateless(other) && compareVersions(model.version, other.version) === 0;
}

/** Sorts by version, the newest first; of one version by when AWS opened them, by size and by id. */
function newestFirst(candidates: readonly Candidate[]): Candidate[] {
  return [...candidates].sort(
    (left, right) =>
      compareVersions(right.version, left.version) ||
      compareText(right.base.startOfLife ?? "", left.base.startOfLife ?? "") ||
      sizeOf(right) - sizeOf(left) ||
      compareText(right.base.id, left.base.id),
  );
}

/** Billions of parameters, as far as the name says; else 0. */
function sizeOf({ words }: Candidate): number {
  return Math.max(0, ...[...words].map((word) => Number(/^(\d+)b$/.exec(word)?.[1] ?? 0)));
}

function idsOf(candidates: readonly Candidate[]): string[] {
  return candidates.flatMap(({ id }) => id ?? []);
}

function isSubset(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return [...left].every((word) => right.has(word));
}
