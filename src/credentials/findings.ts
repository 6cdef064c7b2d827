import { type OpenclawError, withFields } from "../errors.ts";
import { faultOf } from "../network/network-errors.ts";
import type { Chosen } from "./chosen.ts";
import { CONFIGURATION_FINDINGS } from "./configuration-findings.ts";
import { CREDENTIAL_FINDINGS } from "./credential-findings.ts";
import { renewalOf } from "./describe.ts";
import type { Explained, Finding, FindingRow, Place, Scene, Topic } from "./finding.ts";
import { NETWORK_FINDINGS } from "./network-findings.ts";

interface TopicalRow extends FindingRow {
  topic: Topic;
}

/** All that may be found; what explains a failure best goes first. */
export const FINDINGS: readonly TopicalRow[] = [
  ...about("credentials", CREDENTIAL_FINDINGS),
  ...about("the way", NETWORK_FINDINGS),
  ...about("the configuration", CONFIGURATION_FINDINGS),
];

function about(topic: Topic, rows: readonly FindingRow[]): TopicalRow[] {
  return rows.map((row) => Object.assign({ topic }, row));
}

/** What is known of a decision when something fails because of it. */
export interface Known {
  chosen: Chosen;
  scene: () => Scene;
}

/** What is found and worth a word also where nothing fails. */
export function findAll({ scene }: Pick<Known, "scene">): Finding[] {
  return look(scene(), (row) => !row.isSuspicion);
}

function look(scene: Scene, isWanted: (row: TopicalRow) => boolean): Finding[] {
  return FINDINGS.filter(isWanted).flatMap(({ id, topic, explains, find }) =>
    [find(scene) ?? []].flat().map((told) => Object.assign({ id, topic, explains }, told)),
  );
}

/** The finding that explains a failure best; undefined where none does. */
export function findCause(
  { scene }: Pick<Known, "scene">,
  what: Explained,
  { place, topics }: Pick<Explaining, "place" | "topics"> = {},
): Finding | undefined {
  const causes = look({ ...scene(), place }, ({ topic }) => topics?.includes(topic) ?? true).filter(
    ({ explains }) => explains.includes(what),
  );
  // What keeps a whole file or a profile away explains everything else.
  const main = causes.find(
    ({ id, explains }) => id === "shared-config" && explains.includes("nothing signs"),
  );
  return main ?? causes[0];
}

interface Explaining {
  /** What is to be explained, where it is not what the error is. */
  what?: Explained;
  place?: Place | undefined;
  /** What the cause may be about; anything where it is not said. */
  topics?: readonly Topic[] | undefined;
}

/** What of an error a finding explains: of a broken connection it is the part that is broken. */
function partOf(error: OpenclawError): Explained {
  const { code } = error;
  return code === "network" || code === "timeout" || code === "bad-response" ? faultOf(error) : code;
}

/**
 * The same error with the finding that explains it: what was found is said first, and its remedy is the hint. Of a broken
 * connection the part that is broken decides what may be its cause: where a proxy is down the region is not to blame.
 * Credentials that are refused for a reason, such as a clock, have their own hint, and need no other.
 */
export function explainError(
  error: OpenclawError,
  known: Known,
  { what = partOf(error), ...explaining }: Explaining = {},
): OpenclawError {
  const isRefused = what === "credentials-rejected" || what === "credentials-expired";
  // Of a Bedrock API key there is nothing else that could be wrong: it is not signed with.
  const isKey = known.chosen.source === "AWS_BEARER_TOKEN_BEDROCK";
  if (isRefused && !isKey && error.hint !== renewalOf(known.chosen)) return error;
  const cause = findCause(known, what, explaining);
  if (!cause) return error;
  return withFields(error, {
    message: `${cause.message} ${error.message}`,
    hint: cause.hint,
    details: { ...error.details, finding: cause.id },
  });
}

/** The error of a source that was chosen and is broken, with what explains it; undefined where it is whole. */
export function explainChosen(known: Known): OpenclawError | undefined {
  const { chosen } = known;
  if (chosen.source !== "invalid") return undefined;
  return chosen.profile === undefined
    ? chosen.error
    : explainError(chosen.error, known, { what: "a broken profile" });
}
