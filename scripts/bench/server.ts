// The Bedrock that is measured against: the emulator in a process of its own, with an answer of many deltas on demand.
// Prints its address as JSON and runs until its stdin ends.
import { encodeEvent } from "../../src/aws/event-stream.ts";
import { type StreamStep, startEmulator } from "../../src/emulator/emulator.ts";

const deltas = Number(process.argv[2] ?? 0);

/** Deltas by the thousand, encoded beforehand, so that the server is never what is measured. */
function* manyDeltas(): Generator<StreamStep> {
  const thousand = Buffer.concat(
    Array.from({ length: 1000 }, (_, index) =>
      encodeEvent("contentBlockDelta", {
        contentBlockIndex: 0,
        delta: { text: ` word${index}` },
        p: "abcdefghijkl",
      }),
    ),
  );
  yield { event: "messageStart", payload: { role: "assistant" } };
  for (let sent = 0; sent < deltas; sent += 1000) yield { bytes: thousand };
  yield { event: "messageStop", payload: { stopReason: "end_turn" } };
  yield {
    event: "metadata",
    payload: { usage: { inputTokens: 1, outputTokens: deltas, totalTokens: deltas + 1 } },
  };
}

const emulator = await startEmulator({
  script: ({ route }) => (deltas > 0 && route === "ConverseStream" ? { stream: manyDeltas() } : undefined),
});
const { url, accessKeyId, secretAccessKey } = emulator;
console.log(JSON.stringify({ url, accessKeyId, secretAccessKey }));
process.stdin.resume().on("end", () => void emulator.stop().then(() => process.exit(0)));
