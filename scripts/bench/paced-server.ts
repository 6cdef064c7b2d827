// A Bedrock for the latency of `openclaw serve`: each delta says when it was sent, in ms since 1970, and comes by itself.
// Prints its address as JSON and runs until its stdin ends.
import { type StreamStep, startEmulator } from "../../src/emulator/emulator.ts";
import { textAnswerSteps, textStep } from "../../test/helpers/answer-steps.ts";

const deltas = Number(process.argv[2] ?? 0);
/** Between two deltas, in ms: a fast model's pace where no other is given. */
const PACE_MS = Number(process.argv[3] ?? 5);

function* steps(): Generator<StreamStep> {
  for (let sent = 0; sent < deltas; sent++) {
    if (sent > 0) yield { wait: PACE_MS };
    yield textStep(` ${performance.timeOrigin + performance.now()}`);
  }
  yield* textAnswerSteps([]);
}

const emulator = await startEmulator({
  remembersCalls: false,
  script: ({ route }) => (route === "ConverseStream" ? { stream: steps() } : undefined),
});
const { url, accessKeyId, secretAccessKey } = emulator;
console.log(JSON.stringify({ url, accessKeyId, secretAccessKey }));
process.stdin.resume().on("end", () => void emulator.stop().then(() => process.exit(0)));
