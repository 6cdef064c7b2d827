// What is measured, and against what.
import path from "node:path";
import { root } from "../set-up.js";

/**
 * A command that a row is measured against, and its name in the table.
 * @typedef {{ name: string, args: string[], as?: Identity }} Reference
 * Who calls: with a key pair, with a bearer token, or in a role whose keys STS gives.
 * @typedef {"keys" | "token" | "role"} Identity
 * @typedef {object} Row
 * @property {string} name
 * @property {string[]} args
 * @property {Reference | number} against A command, or how long it may take in ms.
 * @property {"wall" | "first" | "turn" | "cpu" | "memory"} figure Ms until the process ends, until the first byte, or from
 *   the second question of a conversation to its answer; ms of CPU; peak memory in MiB.
 * @property {number} goal The ratio to the reference on Node 24.
 * @property {"plain" | "stream" | "near" | "far"} server Of the last two each speaks TLS, one on this machine and one
 *   ROUND_TRIP_MS away.
 * @property {Identity} [as]
 * @property {string[]} [forgets] Folders of the home whose JSON files are removed before each run.
 * @property {number} [runs]
 */

export const MODEL = "amazon.nova-lite-v1:0";
export const DELTAS = 100_000;
/** To a region of the same continent and back. */
export const ROUND_TRIP_MS = 50;

const bench = path.join(root, "scripts", "bench");
const binary = path.join(root, "bin", "openclaw.js");
/** @param {string[]} args */
export const openclaw = (...args) => [binary, ...args];
const chat = openclaw("chat", "-m", MODEL, "Hello");
/** A model that is called through an inference profile only. */
const PROFILED = "anthropic.claude-haiku-4-5-20251001-v1:0";

/** @type {(name: string, file: string) => Reference} */
const script = (name, file) => ({ name, args: [path.join(bench, file)], as: "token" });
const nothing = { name: "`node -e 0`", args: ["-e", "0"] };
const sdkChat = script("SDK script", "reference-chat.mjs");
const rawChat = script("raw `node:https`", "raw-chat.cjs");

/** @type {(name: string, args: string[], goal: number) => Row} */
const start = (name, args, goal) => ({ name, args, against: nothing, figure: "wall", goal, server: "plain" });

/** @type {Row[]} */
const plainRows = [
  start("`--version`", openclaw("--version"), 1.1),
  start("`config file`", openclaw("config", "file"), 1.35),
  start("`config get`", openclaw("config", "get", "models.bedrockDiscovery.region"), 1.1),
  start("`models list`, warm", openclaw("models", "list"), 1.2),
  start("`models list --json`, warm", openclaw("models", "list", "--json"), 1.2),
  start("`chat --help`", openclaw("chat", "--help"), 1.4),
  start("completion of a flag", openclaw("complete", "fish", "--", "chat", "--max"), 1.4),
  {
    name: "`models list --refresh`",
    args: openclaw("models", "list", "--refresh"),
    against: { ...script("SDK script", "reference-list.mjs"), as: "keys" },
    figure: "wall",
    goal: 0.9,
    server: "plain",
  },
  {
    name: "`chat` to the first token",
    args: chat,
    against: { ...sdkChat, as: "keys" },
    figure: "first",
    goal: 0.85,
    server: "plain",
  },
  {
    name: `CPU of ${DELTAS / 1000},000 deltas`,
    args: chat,
    against: { ...sdkChat, as: "keys" },
    figure: "cpu",
    goal: 0.6,
    server: "stream",
    runs: 5,
  },
  {
    name: "CPU of a warm `models list`",
    args: openclaw("models", "list"),
    against: nothing,
    figure: "cpu",
    goal: 1.5,
    server: "plain",
  },
  {
    name: "peak memory, warm list",
    args: openclaw("models", "list", "--json"),
    against: nothing,
    figure: "memory",
    goal: 1.1,
    server: "plain",
  },
  {
    name: "peak memory, chat",
    args: chat,
    against: { ...sdkChat, as: "keys" },
    figure: "memory",
    goal: 1,
    server: "plain",
  },
];

/** @type {(server: "near" | "far") => string} */
const distance = (server) => (server === "far" ? `, ${ROUND_TRIP_MS} ms` : ", 0 ms");

/** @type {(server: "near" | "far", as: "keys" | "token", goal: number) => Row} */
const firstToken = (server, as, goal) => ({
  name: `\`chat\`, ${as === "token" ? "bearer token" : "keys"}${distance(server)}`,
  args: chat,
  against: rawChat,
  figure: "first",
  goal,
  server,
  as,
});

/** @type {(server: "near" | "far", what: string, goal: number, forgets?: string[]) => Row} */
const assumedRole = (server, what, goal, forgets = []) => ({
  name: `\`chat\`, assumed role, ${what}${distance(server)}`,
  args: chat,
  against: { name: "with keys", args: chat, as: "keys" },
  figure: "first",
  goal,
  server,
  as: "role",
  forgets,
});

/** @type {Row[]} */
const tlsRows = [
  firstToken("near", "token", 1.12),
  firstToken("near", "keys", 1.12),
  firstToken("far", "token", 1.05),
  firstToken("far", "keys", 1.05),
  {
    name: `CPU of \`chat\`, keys${distance("near")}`,
    args: chat,
    against: rawChat,
    figure: "cpu",
    goal: 1.4,
    server: "near",
  },
  assumedRole("near", "cached credentials", 1.05),
  assumedRole("far", "cached credentials", 1.05),
  assumedRole("far", "nothing cached", 1.45, [".aws/cli/cache"]),
  {
    name: `\`chat\`, bare id that needs a profile, no cached list${distance("far")}`,
    args: openclaw("chat", "-m", PROFILED, "Hello"),
    against: {
      name: "with the profile's id",
      args: openclaw("chat", "-m", `us.${PROFILED}`, "Hello"),
      as: "keys",
    },
    figure: "first",
    goal: 1.3,
    server: "far",
    forgets: [".openclaw/cache"],
  },
  {
    name: `\`models list --refresh\`${distance("far")}`,
    args: openclaw("models", "list", "--refresh"),
    against: script("raw, both lists at once", "raw-lists.cjs"),
    figure: "wall",
    goal: 1.1,
    server: "far",
  },
  {
    name: `second turn of a conversation${distance("far")}`,
    args: openclaw("chat", "-m", MODEL),
    against: ROUND_TRIP_MS,
    figure: "turn",
    goal: 1.3,
    server: "far",
  },
  {
    name: `\`doctor\`${distance("far")}`,
    args: openclaw("doctor"),
    against: script("raw, its longest chain of calls", "raw-examination.cjs"),
    figure: "wall",
    goal: 1.15,
    server: "far",
  },
];

/** The two tables of a report, by their titles. */
export const tables = { "Without TLS": plainRows, "Over TLS 1.3": tlsRows };
