import { setTimeout as wait } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { MODEL, serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";

/** What nobody waits longer for, on a machine that does much else; without bounds some of these take many seconds. */
const LONGEST_MS = 1500;
const MEGABYTE = 1024 * 1024;
const repeated = (count: number, item: string): string => Array.from({ length: count }, () => item).join(",");
const asking = (messages: string, more = ""): string =>
  `{"model":"${MODEL}"${more},"messages":[${messages}]}`;
const saying = (content: string): string => `{"role":"user","content":${content}}`;
const text = (piece: string, megabytes: number): string =>
  `"${piece.repeat(Math.floor((megabytes * MEGABYTE) / piece.length))}"`;
const image = (url: string): string => saying(`[{"type":"image_url","image_url":{"url":${url}}}]`);
const file = (data: string, name = '"a.txt"'): string =>
  saying(`[{"type":"file","file":{"filename":${name},"file_data":${data}}}]`);
const schema = (json: string): string =>
  `,"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":${json}}}`;
const hi = saying('"hi"');
const source = (fields: string): string => `{"type":"base64","media_type":"image/png",${fields}}`;
const block = (type: string, fields: string): string => saying(`[{"type":"${type}",${fields}}]`);
/** Names by which fields differ. */
const names = (count: number, value: string): string =>
  Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join(",");

/** Bodies that take as much as they can of whoever reads them, each made when its turn comes. */
const COMPLETIONS: readonly (readonly [what: string, body: () => string])[] = [
  // Loads what all others need.
  ["a word", () => asking(hi)],
  ["a text of 31 MB", () => asking(saying(text("a", 31)))],
  ["a text of 31 MB of escapes", () => asking(saying(text("\\u0041", 31)))],
  ["a text of 31 MB of three bytes a character", () => asking(saying(text("日本", 31 / 3)))],
  ["a system prompt of 31 MB", () => asking(`{"role":"system","content":${text("a", 31)}},${hi}`)],
  ["a text of 31 MB of line ends", () => asking(saying(text("\\n", 31)))],
  ["a text of blanks with an end", () => asking(saying(`"${" ".repeat(8 * MEGABYTE)}x"`))],
  [
    "an image of 20 MB",
    () => asking(image(`"data:image/png;base64,${"iVBORw0KGgo".padEnd(20 * MEGABYTE, "A")}"`)),
  ],
  [
    "six images of 5 MB",
    () => {
      const url = `"data:image/png;base64,${"iVBORw0KGgo".padEnd(5 * MEGABYTE, "A")}"`;
      return asking(saying(`[${repeated(6, `{"type":"image_url","image_url":{"url":${url}}}`)}]`));
    },
  ],
  ["an image that is none", () => asking(image(text("data:", 8)))],
  ["a data URL of parameters", () => asking(image(`"data:image/png${";a=b".repeat(2 * MEGABYTE)}"`))],
  [
    "a data URL of almost base64",
    () => asking(image(`"data:image/png;base64,${"A".repeat(20 * MEGABYTE)}!"`)),
  ],
  [
    "an image of blanks and base64",
    () => asking(image(`"data:image/png;base64,${" A".repeat(10 * MEGABYTE)}!"`)),
  ],
  ["a file of 20 MB", () => asking(file(text("QUFB", 20)))],
  ["a file that is almost base64", () => asking(file(`"${"=".repeat(8 * MEGABYTE)}"`))],
  ["a file's name of blanks", () => asking(file('"QUFB"', text(" ", 8)))],
  ["a file's name of dots", () => asking(file('"QUFB"', text(".", 8)))],
  ["many objects", () => asking(repeated(240_000, "{}"))],
  ["too many objects", () => asking(repeated(5_000_000, "{}"))],
  ["many numbers", () => asking(hi, `,"stop":[${repeated(240_000, "1")}]`)],
  ["many messages", () => asking(repeated(4900, `${hi},{"role":"assistant","content":"a"}`))],
  ["many system messages", () => asking(`${repeated(80_000, '{"role":"system","content":"a"}')},${hi}`)],
  ["many parts", () => asking(saying(`[${repeated(80_000, '{"type":"text","text":"a"}')}]`))],
  [
    "many tools",
    () => asking(hi, `,"tools":[${repeated(40_000, '{"type":"function","function":{"name":"a"}}')}]`),
  ],
  [
    "a tool of many fields",
    () => {
      const fields = Array.from({ length: 80_000 }, (_, index) => `"k${index}":{"type":"string"}`).join(",");
      const tool = `{"name":"a","parameters":{"type":"object","properties":{${fields}}}}`;
      return asking(hi, `,"tools":[{"type":"function","function":${tool}}]`);
    },
  ],
  [
    "many marks",
    () =>
      asking(
        hi,
        `,"metadata":{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":"a"`).join(",")}}`,
      ),
  ],
  ["many fields", () => `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join(",")}}`],
  ["deep nesting", () => `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`],
  ["a long name", () => `{"model":${text("a", 1)},"messages":[${hi}]}`],
  ["a name as long as one may be", () => `{"model":"${"anthropic.claude-".repeat(120)}","messages":[${hi}]}`],
  ["a pattern without an end", () => asking(hi, schema('{"pattern":"^(a+)+$"}'))],
  [
    "a schema of doubling choices",
    () => asking(hi, schema(`{"anyOf":[${repeated(12_000, '{"type":"null"}')}]}`)),
  ],
  [
    "a schema of names",
    () =>
      asking(
        hi,
        schema(
          `{"properties":{${Array.from({ length: 12_000 }, (_, index) => `"k${index}":{}`).join(",")}}}`,
        ),
      ),
  ],
];

/** The same of Anthropic's API, where it has other places for it. */
const MESSAGES: typeof COMPLETIONS = [
  ["a word", () => asking(hi)],
  ["a system prompt of 31 MB", () => asking(hi, `,"system":${text("a", 31)}`)],
  ["a system prompt of line ends", () => asking(hi, `,"system":${text("\\n", 16)}`)],
  [
    "a system prompt of many blocks",
    () => asking(hi, `,"system":[${repeated(10_000, '{"type":"text","text":"a"}')}]`),
  ],
  ["many system messages", () => asking(`${hi},${repeated(9000, '{"role":"system","content":"a"}')}`)],
  ["many messages", () => asking(repeated(4900, `${hi},{"role":"assistant","content":"a"}`))],
  [
    "many marks",
    () =>
      asking(
        saying(
          `[${repeated(8000, '{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}')}]`,
        ),
      ),
  ],
  [
    "an image of 20 MB",
    () =>
      asking(block("image", `"source":${source(`"data":"${"iVBORw0KGgo".padEnd(20 * MEGABYTE, "A")}"`)}`)),
  ],
  [
    "an image that is almost base64",
    () => asking(block("image", `"source":${source(`"data":"${"A".repeat(20 * MEGABYTE)}!"`)}`)),
  ],
  [
    "a document of 31 MB of text",
    () =>
      asking(block("document", `"source":{"type":"text","media_type":"text/plain","data":${text("a", 30)}}`)),
  ],
  [
    "a document of many parts",
    () =>
      asking(
        block(
          "document",
          `"source":{"type":"content","content":[${repeated(10_000, '{"type":"text","text":"a"}')}]}`,
        ),
      ),
  ],
  ["a document's title of blanks", () => asking(block("document", `"title":${text(" ", 8)},"source":{}`))],
  [
    "a signature of 20 MB",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":${text("A", 20)}}]}`,
      ),
  ],
  [
    "withheld thinking of 20 MB",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"redacted_thinking","data":${text("bytes:A", 20)}}]}`,
      ),
  ],
  [
    "calls and results in the wrong order",
    () =>
      asking(
        repeated(
          2000,
          '{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"a"}]},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"a","input":{}}]}',
        ),
        ',"tools":[{"name":"a","input_schema":{"type":"object"}}]',
      ),
  ],
  [
    "a call of many arguments",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"a","input":{${names(40_000, "1")}}}]}`,
      ),
  ],
  ["many tools", () => asking(hi, `,"tools":[${repeated(9000, '{"name":"a","input_schema":{}}')}]`)],
  [
    "many tools that are deferred",
    () =>
      asking(
        hi,
        `,"tools":[${Array.from({ length: 9000 }, (_, index) => `{"name":"t${index}","defer_loading":true}`).join(",")}]`,
      ),
  ],
  [
    "a tool of many fields",
    () =>
      asking(
        hi,
        `,"tools":[{"name":"a","input_schema":{"type":"object","properties":{${names(40_000, "{}")}}}}]`,
      ),
  ],
  ["many fields", () => `{"model":"${MODEL}","messages":[${hi}],${names(40_000, "1")}}`],
  [
    "a pattern without an end",
    () => asking(hi, ',"output_config":{"format":{"type":"json_schema","schema":{"pattern":"^(a+)+$"}}}'),
  ],
  ["a long name", () => `{"model":${text("a", 1)},"messages":[${hi}]}`],
];

const items = (input: string, more = ""): string => `{"model":"${MODEL}","input":[${input}]${more}}`;
const question = '{"role":"user","content":"hi"}';
const part = (fields: string): string => items(`{"role":"user","content":[{${fields}}]}`);
const reasoning = (encrypted: string): string =>
  items(`${question},{"type":"reasoning","id":"r","encrypted_content":"${encrypted}"}`);

/** The same of OpenAI's Responses, where it has other places for it. */
const RESPONSES: typeof COMPLETIONS = [
  ["a word", () => items(question)],
  ["a text of 31 MB", () => `{"model":"${MODEL}","input":${text("a", 31)}}`],
  ["instructions of 31 MB", () => items(question, `,"instructions":${text("a", 31)}`)],
  [
    "instructions of line ends, streamed",
    () => items(question, `,"stream":true,"instructions":${text("\\n", 5)}`),
  ],
  ["many items", () => items(repeated(9000, question))],
  ["many developers", () => items(repeated(9000, '{"role":"developer","content":"a"}'))],
  [
    "many parts",
    () =>
      part(
        `"type":"input_text","text":"a"},${repeated(9000, '{"type":"input_text","text":"a"}')},{"type":"input_text","text":"b"`,
      ),
  ],
  ["items that are none", () => items(repeated(240_000, "{}"))],
  [
    "an image of 20 MB",
    () =>
      part(
        `"type":"input_image","image_url":"data:image/png;base64,${"iVBORw0KGgo".padEnd(20 * MEGABYTE, "A")}"`,
      ),
  ],
  [
    "a file that is almost base64",
    () => part(`"type":"input_file","file_data":"${"=".repeat(8 * MEGABYTE)}"`),
  ],
  ["reasoning of 20 MB", () => reasoning(`ocs1.YQ.${"A".repeat(20 * MEGABYTE)}`)],
  ["reasoning of dots", () => reasoning(`ocs1${".".repeat(8 * MEGABYTE)}`)],
  [
    "reasoning that is almost base64",
    () => reasoning(`ocs1.${" A".repeat(8 * MEGABYTE)}!.${" A".repeat(4 * MEGABYTE)}!`),
  ],
  ["many references", () => items(`${question},${repeated(9000, '{"type":"item_reference","id":"a"}')}`)],
  [
    "a text for a tool of 20 MB",
    () =>
      items(
        `${question},{"type":"custom_tool_call","call_id":"c","name":"f","input":${text("\\n", 5)}},{"type":"custom_tool_call","call_id":"d","name":"f","input":${text("a", 20)}}`,
      ),
  ],
  ["many tools", () => items(question, `,"tools":[${repeated(9000, '{"type":"function","name":"a"}')}]`)],
  [
    "many tools in many namespaces",
    () =>
      items(
        question,
        `,"tools":[${repeated(90, `{"type":"namespace","name":"n","tools":[${repeated(90, '{"type":"custom","name":"a"}')}]}`)}]`,
      ),
  ],
  [
    "many tools that were found, often",
    () =>
      items(
        `${question},${repeated(80, `{"type":"tool_search_output","call_id":"c","tools":[${repeated(90, '{"type":"function","name":"a"}')}]}`)}`,
      ),
  ],
  [
    "a grammar of 20 MB",
    () =>
      items(
        question,
        `,"tools":[{"type":"custom","name":"a","format":{"type":"grammar","syntax":"lark","definition":${text(" ", 20)}}}]`,
      ),
  ],
  [
    "many choices of many tools",
    () =>
      items(
        question,
        `,"tools":[${Array.from({ length: 3500 }, (_, index) => `{"type":"namespace","name":"n","tools":[{"type":"custom","name":"t${index}"}]}`).join(",")}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[${repeated(4500, '{"type":"custom","name":"t3499"}')}]}`,
      ),
  ],
  ["many fields", () => items(question, `,${names(40_000, "1")}`)],
  [
    "a pattern without an end",
    () =>
      items(
        question,
        ',"text":{"format":{"type":"json_schema","name":"a","strict":true,"schema":{"pattern":"^(a+)+$"}}}',
      ),
  ],
];

/** The same of Converse, whose model stands in the path. */
const conversing = (messages: string, more = ""): string => `{"messages":[${messages}]${more}}`;
const holding = (content: string): string => `{"role":"user","content":[${content}]}`;
const CONVERSE: readonly (readonly [what: string, body: () => string])[] = [
  ["a text of 31 MB", () => conversing(holding(`{"text":${text("a", 31)}}`))],
  ["a text of 31 MB of escapes", () => conversing(holding(`{"text":${text("\\u0041", 31)}}`))],
  [
    "a system prompt of 31 MB",
    () => conversing(holding('{"text":"a"}'), `,"system":[{"text":${text("a", 31)}}]`),
  ],
  [
    "an image of 20 MB",
    () =>
      conversing(
        holding(
          `{"image":{"format":"png","source":{"bytes":"${"iVBORw0KGgo".padEnd(20 * MEGABYTE, "A")}"}}}`,
        ),
      ),
  ],
  [
    "bytes of almost base64",
    () =>
      conversing(holding(`{"image":{"format":"png","source":{"bytes":"${"A".repeat(20 * MEGABYTE)}!"}}}`)),
  ],
  [
    "many messages",
    () =>
      conversing(repeated(4900, `${holding('{"text":"a"}')},{"role":"assistant","content":[{"text":"a"}]}`)),
  ],
  ["many blocks", () => conversing(holding(repeated(9900, '{"text":"a"}')))],
  ["many blocks of nothing", () => conversing(holding(repeated(9900, "{}")))],
  ["many cache points", () => conversing(holding(repeated(9900, '{"cachePoint":{"type":"default"}}')))],
  [
    "many documents",
    () =>
      conversing(holding(repeated(2000, '{"document":{"format":"txt","name":"a","source":{"text":"a"}}}'))),
  ],
  [
    "many results",
    () => conversing(holding(repeated(4000, '{"toolResult":{"toolUseId":"a","content":[{"text":"a"}]}}'))),
  ],
  [
    "many system blocks",
    () => conversing(holding('{"text":"a"}'), `,"system":[${repeated(9900, '{"text":"a"}')}]`),
  ],
  [
    "many tools",
    () =>
      conversing(
        holding('{"text":"a"}'),
        `,"toolConfig":{"tools":[${repeated(5000, '{"toolSpec":{"name":"a","inputSchema":{"json":{}}}}')}]}`,
      ),
  ],
  ["many fields", () => conversing(holding('{"text":"a"}'), `,${names(40_000, "1")}`)],
  [
    "many fields of the model's",
    () => conversing(holding('{"text":"a"}'), `,"additionalModelRequestFields":{${names(40_000, "1")}}`),
  ],
  [
    "a field of the model's of many fields",
    () =>
      conversing(holding('{"text":"a"}'), `,"additionalModelRequestFields":{"a":{${names(40_000, "1")}}}`),
  ],
  [
    "a schema in a text of 2 MB",
    () =>
      conversing(
        holding('{"text":"a"}'),
        `,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":${JSON.stringify(`[${repeated(1_000_000, "1")}]`)}}}}}`,
      ),
  ],
];

const embedding = (input: string, more = ""): string =>
  `{"model":"amazon.titan-embed-text-v2:0","encoding_format":"float","input":${input}${more}}`;

const EMBEDDINGS: readonly (readonly [what: string, body: () => string])[] = [
  ["a text of 31 MB", () => embedding(text("a", 31))],
  ["a text of 31 MB in a list", () => embedding(`[${text("日本", 31 / 3)}]`)],
  ["as many texts as there may be", () => embedding(`[${repeated(2048, '"a"')}]`)],
  ["more texts than there may be", () => embedding(`[${repeated(40_000, '"a"')}]`)],
  ["texts that are numbers", () => embedding(`[${repeated(40_000, "1")}]`)],
  ["many fields", () => embedding('"a"', `,${names(40_000, "1")}`)],
];

const BODIES = [
  ...COMPLETIONS.map(([what, body]) => ({ path: "/v1/chat/completions", what, body })),
  ...RESPONSES.map(([what, body]) => ({ path: "/v1/responses", what, body })),
  ...MESSAGES.flatMap(([what, body]) => [
    { path: "/v1/messages", what, body },
    { path: "/v1/messages/count_tokens", what, body },
  ]),
  ...EMBEDDINGS.map(([what, body]) => ({ path: "/v1/embeddings", what, body })),
  ...CONVERSE.flatMap(([what, body]) => [
    { path: `/model/${MODEL}/converse`, what, body },
    { path: `/model/${MODEL}/invoke`, what, body },
  ]),
  {
    path: `/model/${MODEL}/count-tokens`,
    what: "a body of 7 MB in base64",
    body: () =>
      `{"input":{"invokeModel":{"body":"${Buffer.from(conversing(holding(`{"text":${text("a", 7)}}`))).toString("base64")}"}}}`,
  },
  // Further routes by the same readers are for who has the time.
].filter(({ path }) => isThorough || !/count_tokens$|invoke$/.test(path));

/** Asks for /health every 10 ms, in a thread of its own: this one plays Bedrock, and makes the bodies. */
const PINGS = `
const { origin, longest } = require("node:worker_threads").workerData;
(async () => {
  for (;;) {
    const since = performance.now();
    await (await fetch(origin + "/health")).text();
    longest[0] = Math.max(longest[0], performance.now() - since);
    await new Promise((go) => setTimeout(go, 10));
  }
})();`;

it("answers others while somebody sends the worst that is taken", async () => {
  const { origin } = await serve({ isAlone: true, args: ["--max-streams", "4"] });
  const longest = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const pings = new Worker(PINGS, { eval: true, workerData: { origin, longest } });
  const waits: [what: string, ms: number, status: number][] = [];
  for (const { path, what, body: make } of BODIES) {
    const body = Buffer.from(make());
    await wait(20);
    longest[0] = 0;
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    await response.arrayBuffer();
    // Whoever asked last has been answered, too.
    await wait(50);
    waits.push([`${what}, at ${path}`, Math.round(longest[0] ?? 0), response.status]);
  }
  await pings.terminate();
  const told = waits.toSorted((one, other) => other[1] - one[1]);
  console.log(told.map(([what, ms, status]) => `${ms} ms, ${status}: ${what}`).join("\n"));
  expect(told.filter(([, , status]) => status >= 500)).toEqual([]);
  expect(told.filter(([, ms]) => ms > LONGEST_MS)).toEqual([]);
}, 240_000);
