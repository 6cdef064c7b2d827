// The Bedrock of the hostile bodies: an emulator that refuses the first asks, each in the words that teach one thing, and
// takes what follows as an emulator does. Its argument is whether it refuses any. Prints its address as JSON and runs until
// its stdin ends.
import { startEmulator } from "../../src/emulator/emulator.ts";

/** What a model's refusals may teach, in AWS's words, as src/session/refusal-table.ts has them. */
const REFUSALS =
  process.argv[2] === "learn"
    ? [
        "This model doesn't support system messages.",
        "This model doesn't support documents.",
        "This model does not support the toolResult.status field.",
        "text blocks and tool result blocks cannot be provided in the same turn",
        "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        "stopSequences is not supported by this model",
      ]
    : [];

const emulator = await startEmulator({
  remembersCalls: false,
  script: ({ route }) => {
    const message = route === "ConverseStream" ? REFUSALS.shift() : undefined;
    return message === undefined ? undefined : { error: { name: "ValidationException", message } };
  },
});
const { url, accessKeyId, secretAccessKey } = emulator;
console.log(JSON.stringify({ url, accessKeyId, secretAccessKey }));
process.stdin.resume().on("end", () => void emulator.stop().then(() => process.exit(0)));
