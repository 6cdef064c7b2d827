import { spawnSync } from "node:child_process";
import path from "node:path";
import type { ContentBlock, ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBytes } from "../../src/chat/sessions/session-record.ts";
import { mendRequest } from "../../src/converse/mend-request.ts";
import type { Recipient } from "../../src/converse/mending/recipient.ts";
import { readConverseRequest } from "../../src/emulator/converse-request.ts";
import { signReasoning } from "../../src/emulator/model-rules.ts";
import { familyOf } from "../../src/models/families.ts";
import { isThorough } from "../helpers/thorough.ts";

/** One model of each kind of rules. */
const MODELS = [
  "anthropic.claude-sonnet-4-5-20250929-v1:0",
  "anthropic.claude-sonnet-4-6",
  "anthropic.claude-opus-5",
  "amazon.nova-lite-v1:0",
  "mistral.pixtral-large-2502-v1:0",
  "meta.llama3-3-70b-instruct-v1:0",
  "moonshotai.kimi-k2.5",
  "example.unheard-of",
];

const halves = fc.string({ unit: "binary", maxLength: 6 });
const texts = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  halves,
  fc.constantFrom(
    "",
    " ",
    "\n\t",
    "\u3000",
    "日本語",
    "שלום",
    "a\ud83d",
    "\udc00b",
    "\0",
    "../../etc",
    "x".repeat(300),
  ),
);
const ids = fc.oneof(
  fc.constantFrom("1", "2", "3", "call_0", "", "a b", "tooluse_bpe71yCfRu2b5i-nKGDr5g", "functions.clock:0"),
  fc.string({ unit: "grapheme", maxLength: 150 }),
);
const names = fc.oneof(
  fc.constantFrom("clock", "answer", "server.tool", "", "日本", "x".repeat(70)),
  fc.string({ unit: "grapheme", maxLength: 70 }),
);
const bytes = fc.uint8Array({ maxLength: 3 });
const image = fc.record({
  image: fc.record({
    format: fc.constantFrom("png", "jpeg", "gif", "webp"),
    source: fc.record({ bytes }),
  }),
});
const document = fc.record({
  document: fc.record({
    format: fc.constantFrom("pdf", "txt", "md", "csv"),
    name: fc.oneof(fc.constantFrom("report.pdf", "report.txt", "report", "日本語.pdf"), texts),
    source: fc.record({ bytes }),
  }),
});
const json = fc.oneof(
  fc.object({ key: halves, values: [halves, fc.integer(), fc.constant(null)], maxDepth: 2 }),
);
const cachePoint = fc.record({
  cachePoint: fc.record(
    { type: fc.constant("default"), ttl: fc.constantFrom("5m", "1h") },
    { requiredKeys: ["type"] },
  ),
});
const text = fc.record({ text: texts });
const result = fc.record({
  toolResult: fc.record(
    {
      toolUseId: ids,
      content: fc.array(
        fc.oneof(text, image, document, fc.record({ json: fc.oneof(json, fc.jsonValue({ maxDepth: 1 })) })),
        { maxLength: 3 },
      ),
      status: fc.constantFrom("success", "error"),
    },
    { requiredKeys: ["toolUseId"] },
  ),
});
const block = fc.oneof(
  { weight: 4, arbitrary: text },
  {
    weight: 3,
    arbitrary: fc.record({
      toolUse: fc.record(
        { toolUseId: ids, name: names, input: fc.oneof(json, fc.jsonValue({ maxDepth: 1 }), texts) },
        { requiredKeys: ["toolUseId", "name"] },
      ),
    }),
  },
  { weight: 3, arbitrary: result },
  image,
  document,
  cachePoint,
  fc.record({ citationsContent: fc.record({ content: fc.array(text, { maxLength: 2 }) }) }),
  fc.record({
    reasoningContent: fc.oneof(
      fc.record({
        reasoningText: fc.record(
          { text: texts, signature: fc.constantFrom("", "c2ln") },
          { requiredKeys: [] },
        ),
      }),
      fc.record({ redactedContent: bytes }),
    ),
  }),
  fc.record({ guardContent: fc.record({ text: fc.record({ text: texts }) }) }),
  fc.constant({}),
) as unknown as fc.Arbitrary<ContentBlock>;
const message = fc.record(
  { role: fc.constantFrom("user", "assistant"), content: fc.array(block, { maxLength: 5 }) },
  { requiredKeys: ["role"] },
) as fc.Arbitrary<Message>;
const schema = fc.oneof(
  fc.constantFrom({}, true, null, { type: "string" }, { oneOf: [{ type: "object", required: ["a"] }] }),
  fc.constantFrom({
    type: "object",
    anyOf: [{ $ref: "#/$defs/a" }],
    $defs: { a: { properties: { b: {} } } },
  }),
  json,
);
const tool = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      toolSpec: fc.record(
        { name: names, description: texts, inputSchema: fc.record({ json: schema }) },
        { requiredKeys: ["name"] },
      ),
    }),
  },
  cachePoint,
);
const request = fc.record(
  {
    messages: fc.array(message, { maxLength: 8 }),
    system: fc.array(fc.oneof(text, cachePoint), { maxLength: 3 }),
    toolConfig: fc.record(
      {
        tools: fc.array(tool, { maxLength: 4 }),
        toolChoice: fc.oneof(
          fc.constant({ any: {} }),
          fc.constant({ auto: {} }),
          names.map((name) => ({ tool: { name } })),
        ),
      },
      { requiredKeys: ["tools"] },
    ),
    inferenceConfig: fc.record(
      {
        temperature: fc.double({ min: -1, max: 2, noNaN: true }),
        topP: fc.double({ min: -1, max: 2, noNaN: true }),
        stopSequences: fc.array(texts, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["messages"] },
) as unknown as fc.Arbitrary<Omit<ConverseStreamCommandInput, "modelId">>;

const drafts = fc.tuple(fc.constantFrom(...MODELS), request, fc.boolean());
const numRuns = isThorough ? 20_000 : 500;

const MOST_DOCUMENTS = 5;

async function mend(modelId: string, draft: object, isReasoning: boolean) {
  const family = familyOf(modelId);
  const recipient: Recipient = { modelId, family, isReasoning, mostDocuments: MOST_DOCUMENTS };
  const input = { modelId, ...draft } as ConverseStreamCommandInput;
  // As reasoning.ts leaves them out before.
  const refused: readonly string[] = family.reasoning?.refuses?.(undefined) ?? [];
  const kept = Object.entries(input.inferenceConfig ?? {}).filter(([name]) => !refused.includes(name));
  if (input.inferenceConfig) input.inferenceConfig = Object.fromEntries(kept);
  return mendRequest(input, recipient);
}

/** As it stands in a request's body: bytes are base64. */
function asSent(input: ConverseStreamCommandInput): unknown {
  return JSON.parse(
    JSON.stringify(input, (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ),
  );
}

/** The same with reasoning that the model did think under this prompt: nobody else can tell it from any other. */
function signed(input: ConverseStreamCommandInput, modelId: string): ConverseStreamCommandInput {
  const { system, toolConfig } = asSent(input) as { system?: object[]; toolConfig?: { tools: object[] } };
  const prompt = { system: system ?? [], tools: toolConfig?.tools } as Parameters<typeof signReasoning>[1];
  const messages = (input.messages ?? []).map(({ role, content = [] }): Message => ({
    role,
    content: content.map((block) => {
      const text = block.reasoningContent?.reasoningText?.text;
      if (text === undefined) return block;
      const signature = signReasoning(modelId, prompt, text);
      return { reasoningContent: { reasoningText: { text, signature } } };
    }),
  }));
  return { ...input, messages };
}

describe("any request, once mended,", () => {
  it("is taken by the emulator's rules, and is not changed again", async () => {
    await fc.assert(
      fc.asyncProperty(drafts, async ([modelId, draft, isReasoning]) => {
        const { input, promptDigest } = await mend(modelId, draft, isReasoning);
        // One question with more documents than a request has room for is sent as it is, to be refused.
        const documents = (input.messages ?? []).map(({ content }) =>
          content?.filter((block) => block.document),
        );
        fc.pre(documents.every((all = []) => all.length <= MOST_DOCUMENTS));
        readConverseRequest(asSent(signed(input, modelId)), { modelId });
        const again = await mend(modelId, input, isReasoning);
        expect(again.input).toEqual(input);
        expect(again.notices).toEqual([]);
        expect(again.promptDigest()).toBe(promptDigest());
      }),
      { numRuns },
    );
  });

  it("has the same beginning when the conversation goes on", async () => {
    await fc.assert(
      fc.asyncProperty(drafts, fc.array(message, { maxLength: 3 }), async ([modelId, draft], more) => {
        const fit = (await mend(modelId, draft, false)).input.messages ?? [];
        const next: Message[] = [{ role: "assistant", content: [{ text: "Yes." }] }, ...more];
        const end: Message = { role: "user", content: [{ text: "And?" }] };
        // A conversation that ends with the beginning of an answer is not gone on with by another answer.
        fc.pre(fit.at(-1)?.role === "user");
        const messages = [...(draft.messages ?? []), ...next, end];
        const longer = (await mend(modelId, { ...draft, messages }, false)).input.messages ?? [];
        const ids = (of: readonly Message[]) =>
          of.flatMap(({ content = [] }) => content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []));
        expect(ids(longer).slice(0, ids(fit).length)).toEqual(ids(fit));
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it("is taken by botocore's model of Converse", async (context) => {
    const mended = fc.sample(drafts, numRuns).map(async ([modelId, draft, isReasoning]) => {
      const { input } = await mend(modelId, draft, isReasoning);
      return { draft, input };
    });
    const sample = await Promise.all(mended);
    const script = path.join(import.meta.dirname, "..", "helpers", "check-with-botocore.py");
    const { stdout, stderr, error, status } = spawnSync("python3", [script], {
      input: sample.map(({ input }) => `${JSON.stringify(packBytes(input))}\n`).join(""),
      encoding: "utf8",
      maxBuffer: 1e9,
    });
    if (error || /No module named 'botocore'/.test(stderr))
      context.skip(
        "python3 with botocore is not here; the emulator's port of the constraints was tried above",
      );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const reports = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as string[]);
    expect(reports).toHaveLength(sample.length);
    for (const [index, findings] of reports.entries())
      expect({ draft: sample[index]?.draft, findings }).toEqual({
        draft: sample[index]?.draft,
        findings: [],
      });
  });
});
