import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";

/** Something that is done in one place. */
interface OneWay {
  name: string;
  /** How the code does it. */
  pattern: RegExp;
  /** Where it may stand, from src/. */
  places: readonly string[];
  /** A line that breaks the rule. */
  violation: string;
}

const ONE_WAYS: readonly OneWay[] = [
  {
    name: "the SDK's clients of Bedrock are types and a version only",
    pattern:
      /^import (?!type )(?!.*\/package\.json").*"@aws-sdk\/client-bedrock|import\("@aws-sdk\/client-bedrock/m,
    places: [],
    violation: 'const { BedrockClient } = await import("@aws-sdk/client-bedrock");',
  },
  {
    name: "requests to Bedrock are signed and sent by one client",
    pattern: /new (?:RestClient|Signer|SignatureV4)\(/,
    places: ["session/open-rest-client.ts", "session/rest-client.ts", "emulator/authenticate.ts"],
    violation: "const client = new RestClient(config);",
  },
  {
    name: "an answer is awaited within deadlines in one place",
    pattern: /new Deadlines\(/,
    places: ["chat/ask-model.ts"],
    violation: "const deadlines = new Deadlines(bounds, signal, elapsed);",
  },
  {
    name: "the parts of an answer become events in one place",
    pattern: /\breadEvents\(\n? *\w/,
    places: ["chat/ask-model.ts", "converse/read-events.ts"],
    violation: "yield* readEvents(batches, reading);",
  },
  {
    name: "the forms of a schema are tried in one place",
    pattern: /\breadStructured\(\w+, /,
    places: ["chat/ask-model.ts"],
    violation: "yield* readStructured(events, form, schema);",
  },
  {
    name: "fallbacks are asked by the one turn",
    pattern: /\baskModel\(\w+, \{|\baskModel\(\{/,
    places: ["chat/run-turn.ts"],
    violation: "yield* askModel({ ...setup, runtime }, question);",
  },
  {
    name: "answers are written at a terminal by the one turn",
    pattern: /new AnswerWriter\(/,
    places: ["chat/show-turn.ts"],
    violation: "const writer = new AnswerWriter(runtime, options);",
  },
  {
    name: "which failure of credentials may pass is known in one place",
    pattern: /new Set\(\["no-credentials", "credentials-expired", "credentials-rejected"\]/,
    places: ["chat/run-turn.ts"],
    violation: 'const stale = new Set(["no-credentials", "credentials-expired", "credentials-rejected"]);',
  },
];

const folder = path.join(root, "src");
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({
    name: name.split(path.sep).join("/"),
    text: readFileSync(path.join(folder, name), "utf8"),
  }));

describe.each(ONE_WAYS)("$name:", ({ pattern, places, violation }) => {
  test("nothing else does it, and each place does", () => {
    const found = sources.filter(({ text }) => pattern.test(text)).map(({ name }) => name);
    expect(found.toSorted()).toEqual([...places].toSorted());
  });

  test("a second way would be seen", () => {
    expect(pattern.test(violation)).toBe(true);
  });
});
