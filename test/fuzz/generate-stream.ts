import { crc32 } from "node:zlib";
import { encodeEvent, encodeException } from "../../src/aws/event-stream.ts";
import { encodeError } from "../helpers/answer-steps.ts";
import { mutateJson } from "./mutate-json.ts";
import type { Random } from "./random.ts";

type Event = [name: string, payload: unknown];

const TEXTS = [
  "Hello",
  " wörld ",
  "日本語",
  "🦞",
  "\n",
  "\n\n\n",
  "",
  " ",
  "\u001B[2J",
  "\u0000",
  "a".repeat(3000),
  "\uD83E",
  "\uDD9E",
];
const REASONS = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "refusal",
  "tool_use",
  "malformed_model_output",
  "brand_new",
];

/** The events of an answer as AWS would send it. */
function answer(random: Random): Event[] {
  const events: Event[] = [["messageStart", { role: "assistant", p: "abcd" }]];
  const blocks = 1 + random.below(3);
  for (let contentBlockIndex = 0; contentBlockIndex < blocks; contentBlockIndex += 1) {
    const isReasoning = random.percent(20);
    const isTool = !isReasoning && random.percent(10);
    if (isTool) {
      const toolUse = { toolUseId: "t1", name: "tool" };
      events.push(["contentBlockStart", { contentBlockIndex, start: { toolUse } }]);
    }
    for (let deltas = random.below(12); deltas > 0; deltas -= 1) {
      const text = random.pick(TEXTS);
      const delta = isReasoning
        ? { reasoningContent: { text } }
        : isTool
          ? { toolUse: { input: text } }
          : { text };
      events.push(["contentBlockDelta", { contentBlockIndex, delta, p: "abc" }]);
    }
    if (isReasoning) {
      const reasoningContent = random.percent(50) ? { signature: "c2ln" } : { redactedContent: "c2VjcmV0" };
      events.push(["contentBlockDelta", { contentBlockIndex, delta: { reasoningContent } }]);
    }
    if (random.percent(10)) {
      const citation = { title: "Page", sourceContent: [{ text: "cited" }], location: { web: { url: "x" } } };
      events.push(["contentBlockDelta", { contentBlockIndex, delta: { citation } }]);
    }
    events.push(["contentBlockStop", { contentBlockIndex }]);
  }
  events.push(["messageStop", { stopReason: random.percent(70) ? "end_turn" : random.pick(REASONS) }]);
  const usage = {
    inputTokens: 3,
    outputTokens: 5,
    totalTokens: 8,
    cacheDetails: [{ ttl: "1h", inputTokens: 2 }],
  };
  const trace = random.percent(20)
    ? {
        promptRouter: { invokedModelId: "m" },
        guardrail: {
          inputAssessment: { g: { topicPolicy: { topics: [{ name: "x", action: "BLOCKED" }] } } },
        },
      }
    : undefined;
  events.push(["metadata", { usage, metrics: { latencyMs: 9 }, ...(trace ? { trace } : {}) }]);
  return events;
}

const EXCEPTIONS = [
  "internalServerException",
  "modelStreamErrorException",
  "validationException",
  "throttlingException",
  "serviceUnavailableException",
  "unknownException",
  "",
];

export interface GeneratedStream {
  frames: Buffer;
  chunks: Buffer[];
  /** Whether nothing was done to it. */
  isSound: boolean;
}

/** A stream of a made-up answer, most of them damaged in one or two ways, cut into chunks at random. */
export function generateStream(random: Random): GeneratedStream {
  let events = answer(random);
  const isSound = random.percent(10);
  if (!isSound && random.percent(40)) {
    events = events.map(([name, payload]) => [
      name,
      random.percent(30) ? mutateJson(payload, random) : payload,
    ]);
  }
  let frames = events.map(([name, payload]) => encodeEvent(name, payload));
  if (!isSound) {
    for (let damage = 1 + random.below(2); damage > 0; damage -= 1)
      frames = random.pick(DAMAGES)(frames, random);
  }
  const whole = Buffer.concat(frames);
  return { frames: whole, chunks: cut(whole, random), isSound };
}

type Damage = (frames: Buffer[], random: Random) => Buffer[];

const insert = (frames: Buffer[], random: Random, frame: Buffer): Buffer[] => {
  const place = random.below(frames.length + 1);
  return [...frames.slice(0, place), frame, ...frames.slice(place)];
};

const DAMAGES: readonly Damage[] = [
  // Bytes changed.
  (frames, random) => {
    const bytes = Buffer.concat(frames);
    for (let flips = 1 + random.below(4); flips > 0 && bytes.length > 0; flips -= 1) {
      bytes.writeUInt8(random.below(256), random.below(bytes.length));
    }
    return [bytes];
  },
  // Cut off.
  (frames, random) => {
    const bytes = Buffer.concat(frames);
    return [bytes.subarray(0, random.below(bytes.length + 1))];
  },
  // In another order.
  (frames, random) => random.shuffle(frames),
  // Left out, and sent twice.
  (frames, random) => frames.filter(() => !random.percent(20)),
  (frames, random) => frames.flatMap((frame) => (random.percent(20) ? [frame, frame] : [frame])),
  // Garbage in between.
  (frames, random) => insert(frames, random, random.bytes(random.below(40))),
  // Messages of other kinds.
  (frames, random) =>
    insert(
      frames,
      random,
      encodeException(random.pick(EXCEPTIONS), mutateJson({ message: "It broke." }, random)),
    ),
  (frames, random) =>
    insert(frames, random, encodeError(random.pick(["InternalFailure", "Odd"]), "It broke.")),
  (frames, random) =>
    insert(
      frames,
      random,
      encodeEvent(random.pick(["newEvent", "", "constructor", "toString"]), mutateJson({ a: [1] }, random)),
    ),
  // Headers that say something else under a good checksum.
  (frames, random) => {
    const index = random.below(frames.length);
    return frames.map((frame, at) => (at === index && frame.length > 16 ? resealed(frame, random) : frame));
  },
  // Nothing at all.
  () => [],
];

/** A frame with one byte of its headers or payload changed and its checksums made to fit. */
function resealed(frame: Buffer, random: Random): Buffer {
  const copy = Buffer.from(frame);
  if (random.percent(20)) copy.writeUInt32BE(random.below(copy.length * 2), 4);
  else copy.writeUInt8(random.below(256), 12 + random.below(Math.max(1, copy.length - 16)));
  copy.writeUInt32BE(crc32(copy.subarray(0, 8)), 8);
  copy.writeUInt32BE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  const most = random.pick([1, 7, 64, 1000, 100_000]);
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + 1 + random.below(most);
    chunks.push(bytes.subarray(offset, end));
    offset = end;
  }
  return chunks;
}
