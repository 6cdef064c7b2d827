import { crc32 } from "node:zlib";
import { usageError } from "../errors.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { Framing } from "./framing.ts";
import { JOB_ROUTES } from "./jobs/run-job.ts";
import { ROUTE_NAMES, STREAMING_ROUTES } from "./operations.ts";
import type { Script, ScriptedAnswer, StreamStep, StreamSteps } from "./script.ts";
import { toFrame } from "./stream-writer.ts";

interface Fault {
  /** AWS's name of an operation; `*` hits every one. */
  route: string;
  /** The call of the route that it hits, from 1; undefined hits all. */
  nth: number | undefined;
  answer: ScriptedAnswer;
}

/** What can go wrong before the headers, or in place of AWS's answer, by name. */
const ANSWERS: Readonly<Record<string, ScriptedAnswer>> = {
  reset: { drop: "reset" },
  close: { drop: "close" },
  stall: { drop: "stall" },
  html: {
    http: {
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<!doctype html><title>Log in</title><p>Log in to use this network.</p>",
    },
  },
  redirect: { http: { status: 302, headers: { location: "http://127.0.0.1:9/" }, body: "" } },
  garbage: {
    http: { status: 200, headers: { "content-type": "application/json" }, body: '{"half of a docum' },
  },
};

/** What can go wrong inside a stream after some deltas of the emulator's own answer, by name. */
const STREAM_FAULTS: Readonly<Record<string, (next: Uint8Array) => readonly StreamStep[]>> = {
  reset: () => [{ end: "reset" }],
  close: () => [{ end: "close" }],
  stall: () => [{ end: "stall" }],
  "no-stop": () => [],
  truncate: (next) => [{ bytes: next.subarray(0, next.length >> 1) }],
  "corrupt-prelude": (next) => [{ bytes: flipped(next, 8) }],
  "corrupt-message": (next) => [{ bytes: flipped(next, next.length - 1) }],
  oversized: (next) => [{ bytes: claimingTooMuch(next) }, { end: "stall" }],
};

/** The names of all faults but AWS's own, for messages. */
const FAULT_NAMES = [...new Set([...Object.keys(ANSWERS), ...Object.keys(STREAM_FAULTS), "drip"])];

/**
 * Makes a script of faults such as `ConverseStream:2=ThrottlingException`, `ConverseStream=reset@5` or `*=stall`: a
 * route or `*`, which of its calls, what goes wrong, and after how many deltas. The first that fits a call is taken.
 * Throws `usage`.
 */
export function faultScript(texts: readonly string[]): Script {
  const faults = texts.map(parseFault);
  return ({ route, nth }: RecordedCall) =>
    faults.find((fault) => ["*", route].includes(fault.route) && (fault.nth ?? nth) === nth)?.answer;
}

function parseFault(text: string): Fault {
  const match = /^(\*|[A-Za-z]+)(?::([1-9]\d*))?=([A-Za-z-]+)(?:@(\d+))?(?::\s*(.+))?$/s.exec(text);
  if (!match) {
    throw usageError(
      `--fault '${text}' is not of the form ROUTE[:CALL]=FAULT[@DELTAS].`,
      "For example: openclaw emulator --fault ConverseStream:1=ThrottlingException",
    );
  }
  const [, route = "*", nth, name = "", deltas, message] = match;
  if (route !== "*" && !ROUTE_NAMES.includes(route)) {
    throw usageError(
      `--fault '${text}' names no route of the emulator: '${route}'.`,
      `The routes are ${ROUTE_NAMES.join(", ")}, or * for all.`,
    );
  }
  const answer = answerOf(name, deltas === undefined ? undefined : Number(deltas), message, text);
  if ((JOB_ROUTES as readonly string[]).includes(route) && !("error" in answer))
    throw usageError(
      `--fault '${text}' is for a step of a job, which is no call and fails with an error only.`,
      "For example: openclaw emulator --fault JobRecord:3=ThrottlingException",
    );
  if ("alter" in answer && !STREAMING_ROUTES.includes(route)) {
    throw usageError(
      `--fault '${text}' is for a stream, and '${route}' has none.`,
      `Write ${STREAMING_ROUTES.join(" or ")} in place of ${route}.`,
    );
  }
  return { route, nth: nth === undefined ? undefined : Number(nth), answer };
}

function answerOf(
  name: string,
  deltas: number | undefined,
  message = "Asked for by --fault.",
  text: string,
): ScriptedAnswer {
  if (name === "drip") return { pass: true, alter: drip };
  // Inside a stream AWS spells its exceptions with a small letter, outside with a capital.
  if (/^[a-z]\w*Exception$/.test(name)) {
    return altered(deltas ?? 0, () => [{ exception: name, payload: { message } }]);
  }
  const inStream = Object.hasOwn(STREAM_FAULTS, name) ? STREAM_FAULTS[name] : undefined;
  const instead = Object.hasOwn(ANSWERS, name) ? ANSWERS[name] : undefined;
  if (inStream && (deltas !== undefined || !instead)) return altered(deltas ?? 0, inStream);
  if (deltas !== undefined) {
    throw usageError(
      `--fault '${text}' cannot come after deltas: '${name}' is a whole answer.`,
      `Leave out @${deltas}.`,
    );
  }
  if (instead) return instead;
  if (/^[A-Z]/.test(name)) return { error: { name, message } };
  throw usageError(
    `--fault '${text}' names no fault: '${name}'.`,
    `It takes an error of AWS, such as ThrottlingException, or one of ${FAULT_NAMES.join(", ")}.`,
  );
}

/** The emulator's own answer until so many deltas, or its last word, are out; then the fault in place of the next event. */
function altered(deltas: number, fault: (next: Uint8Array) => readonly StreamStep[]): ScriptedAnswer {
  const alter = async function* (steps: StreamSteps, framing: Framing): AsyncGenerator<StreamStep> {
    let seen = 0;
    for await (const step of steps) {
      if ("event" in step) {
        const isDelta = framing.deltas.includes(step.event);
        if (framing.ends.includes(step.event) || (isDelta && seen === deltas))
          return yield* fault(toFrame(step, framing));
        if (isDelta) seen += 1;
      }
      yield step;
    }
  };
  return { pass: true, alter };
}

/** Each byte in a packet of its own. */
async function* drip(steps: StreamSteps, framing: Framing): AsyncGenerator<StreamStep> {
  for await (const step of steps) {
    if ("wait" in step || "end" in step) {
      yield step;
      continue;
    }
    for (const byte of toFrame(step, framing)) {
      yield { bytes: Uint8Array.of(byte) };
      yield { wait: 0 };
    }
  }
}

function flipped(frame: Uint8Array, at: number): Uint8Array {
  const damaged = Buffer.from(frame);
  damaged[at] = (damaged[at] ?? 0) ^ 0xff;
  return damaged;
}

/** The beginning of a frame that says it has 25 MB. */
function claimingTooMuch(frame: Uint8Array): Uint8Array {
  const head = Buffer.from(frame.subarray(0, 12));
  head.writeUInt32BE(25 * 1024 * 1024, 0);
  head.writeUInt32BE(crc32(head.subarray(0, 8)), 8);
  return head;
}
