import { parseArn } from "../aws/arn.ts";
import type { Lessons } from "../converse/apply-lessons.ts";
import { asSentence, type ErrorCode, OpenclawError, withFields } from "../errors.ts";
import {
  calledThrough,
  isProvisionedOnly,
  likelyProfile,
  profileFor,
  profileNamed,
  profileNeeded,
  provisionedOnly,
} from "../models/callable.ts";
import type { Discovered } from "../models/discovered.ts";
import { isMantle } from "../models/provider-api.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { AwsSession } from "../session/session.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Refusals of the way to a model, in codes: by its own id it may be to be had. */
const GUESS_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "model-not-found",
  "needs-inference-profile",
  "model-access",
  "access-denied",
]);

/**
 * Which inference profile a model is called through: the one that AWS's list has for it, one that a refusal taught, or without
 * either the likely one.
 */
export class ProfileChoice {
  /** Undefined where the model is called by its own id. */
  id: string | undefined;
  readonly #session: AwsSession;
  readonly #model: ResolvedModel;
  /** The profile that was guessed, and what AWS said of it. */
  #guess: string | undefined;
  #guessRefusal: OpenclawError | undefined;

  constructor(session: AwsSession, model: ResolvedModel) {
    this.#session = session;
    this.#model = model;
  }

  choose(known: Discovered | undefined, lessons: Lessons): void {
    const { id } = this.#model;
    const listed = known && profileNeeded(id, known);
    const learnt = lessons.findLast(({ name }) => name === "profile")?.value;
    // Mantle has no profiles.
    const isPlain = known !== undefined || learnt !== undefined || isMantle(this.#model);
    this.#guess = isPlain ? undefined : this.#likely();
    const chosen = listed?.id ?? (typeof learnt === "string" ? learnt : this.#guess);
    this.id = chosen === id ? undefined : chosen;
  }

  /** What is said of the choice, where it is not the one that the user named. */
  get notice(): string | undefined {
    if (this.id === undefined && this.#guessRefusal === undefined) return undefined;
    const { id } = this.#model;
    return this.id === undefined ? `${id} is called by its own id` : calledThrough(id, this.id);
  }

  /**
   * What a refusal teaches about the profile; undefined for a refusal of something else. Throws the refusal where there
   * is no way to the model.
   */
  async learn(refusal: OpenclawError): Promise<Lessons | undefined> {
    const { id } = this.#model;
    if (this.#guess !== undefined && GUESS_REFUSALS.has(refusal.code)) {
      this.#guessRefusal = refusal;
      return [{ name: "profile", value: id }];
    }
    if (refusal.code !== "needs-inference-profile") return undefined;
    if (this.id !== undefined || parseArn(id)) return [];
    // Where there is no other profile, the guess was right, and who may not call it is to know that.
    const denial = this.#guessRefusal?.code === "model-not-found" ? undefined : this.#guessRefusal;
    const found = await findProfile(this.#session, id, refusal, denial ?? refusal);
    if (denial && found === this.#likely()) throw denial;
    return [{ name: "profile", value: found }];
  }

  #likely(): string | undefined {
    return likelyProfile(this.#model.id, this.#session.region.value);
  }
}

/** Asks AWS for the profile behind a refusal. Throws the refusal, with what is known, or `otherwise` when there is none. */
async function findProfile(
  session: AwsSession,
  id: string,
  refusal: OpenclawError,
  otherwise: OpenclawError,
): Promise<string> {
  const { discover } = await import("../discovery/discover.ts");
  let discovered: Discovered;
  try {
    discovered = await discover(session);
  } catch (cause) {
    session.setup.runtime.terminal.verbose(() => `no profile could be looked up: ${String(cause)}`);
    throw otherwise;
  }
  const profile = profileFor(id, discovered);
  if (profile) return profile.id;
  const global = profileNamed("global", id, discovered);
  const listed = discovered.models.find((model) => model.id === id);
  if (listed && isProvisionedOnly(listed))
    throw withFields(provisionedOnly(id), { requestId: refusal.requestId, cause: refusal });
  if (!global) throw otherwise;
  throw new OpenclawError("needs-inference-profile", {
    message: `${asSentence(refusal.message)} Only a global one reaches it from ${session.region.value}.`,
    hint: `If your data may go to any region: openclaw chat --model ${quoteForShell(global.id)}`,
    requestId: refusal.requestId,
    cause: refusal,
  });
}
