import { randomBytes } from "node:crypto";

/** The model that they ask. */
const MODEL = "amazon.nova-lite-v1:0";
/** What a megabyte has here: fewer bytes while a body is made in small. */
let megabyte = 1024 * 1024;
/** So many of what each takes a request of its own: fewer while a body is made in small. */
const asked = (count: number): number => Math.ceil((count * megabyte) / 1024 / 1024);
const repeated = (count: number, item: string): string => `${item},`.repeat(count - 1) + item;
const asking = (messages: string, more = ""): string =>
  `{"model":"${MODEL}"${more},"messages":[${messages}]}`;
const saying = (content: string): string => `{"role":"user","content":${content}}`;
const text = (piece: string, megabytes: number): string =>
  `"${piece.repeat(Math.floor((megabytes * megabyte) / piece.length))}"`;
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
const base64 = (piece: string | Buffer, megabytes: number): string => {
  const bytes = Buffer.from(piece);
  return `"${Buffer.alloc(megabytes * megabyte, bytes).toString("base64")}"`;
};
/** A file whose beginning says what it is. */
const fileOf = (start: string, piece: string, encoding: BufferEncoding = "latin1"): string => {
  const bytes = Buffer.alloc(20 * megabyte, Buffer.from(piece, encoding));
  bytes.set(Buffer.from(start, "latin1"));
  return `"${bytes.toString("base64")}"`;
};
/** An escape among letters: as many of them as a body may hold in as many bytes. */
const SPARSE = "abcdefg \\nhijkl";
const inLines = (data: string): string => data.replaceAll(/.{76}/g, "$&\\r\\n");
const calling = (fields: string): string =>
  `${hi},{"role":"assistant","content":null,"tool_calls":[${fields}]}`;

/** Bodies that take as much as they can of whoever reads them, each made when its turn comes. */
const COMPLETIONS: readonly (readonly [what: string, body: () => string])[] = [
  // Loads what all others need.
  ["a word", () => asking(hi)],
  ["a text of 31 MB", () => asking(saying(text("a", 31)))],
  ["a text of 31 MB of escapes", () => asking(saying(text("\\u0041", 31)))],
  ["a text of 31 MB of three bytes a character", () => asking(saying(text("日本", 31 / 3)))],
  ["a system prompt of 31 MB", () => asking(`{"role":"system","content":${text("a", 31)}},${hi}`)],
  ["a text of 31 MB of line ends", () => asking(saying(text("\\n", 31)))],
  ["a text with an escape in every 16 bytes", () => asking(saying(text(SPARSE, 31)))],
  ["a text of escaped letters", () => asking(saying(text("\\u0416", 17)))],
  [
    "a system prompt with an escape in every 16 bytes",
    () => asking(`{"role":"system","content":${text(SPARSE, 31)}},${hi}`),
  ],
  ["a text of blanks with an end", () => asking(saying(`"${" ".repeat(8 * megabyte)}x"`))],
  [
    "an image of 20 MB",
    () => asking(image(`"data:image/png;base64,${"iVBORw0KGgo".padEnd(20 * megabyte, "A")}"`)),
  ],
  [
    "six images of 5 MB",
    () => {
      const url = `"data:image/png;base64,${"iVBORw0KGgo".padEnd(5 * megabyte, "A")}"`;
      return asking(saying(`[${repeated(6, `{"type":"image_url","image_url":{"url":${url}}}`)}]`));
    },
  ],
  ["an image that is none", () => asking(image(text("data:", 8)))],
  ["a data URL of parameters", () => asking(image(`"data:image/png${";a=b".repeat(2 * megabyte)}"`))],
  [
    "a data URL of almost base64",
    () => asking(image(`"data:image/png;base64,${"A".repeat(20 * megabyte)}!"`)),
  ],
  [
    "an image of blanks and base64",
    () => asking(image(`"data:image/png;base64,${" A".repeat(10 * megabyte)}!"`)),
  ],
  ["a file of 20 MB", () => asking(file(text("QUFB", 20)))],
  ["a file that is almost base64", () => asking(file(`"${"=".repeat(8 * megabyte)}"`))],
  ["a file's name of blanks", () => asking(file('"QUFB"', text(" ", 8)))],
  ["a file's name of dots", () => asking(file('"QUFB"', text(".", 8)))],
  [
    "an image in lines",
    () => asking(image(inLines(fileOf("data:", "AAAA").replace(/^"/, '"data:image/png;base64,')))),
  ],
  ["an image of escaped bytes", () => asking(image(`"data:image/png,${"%41".repeat(10 * megabyte)}"`))],
  ["a file in Latin-1", () => asking(file(base64(Buffer.from("Grüße aus Köln\n", "latin1"), 20), '"a.csv"'))],
  [
    "a file of another encoding, by no name",
    () => asking(file(base64(Buffer.from("Grüße aus Köln\n", "latin1"), 20), '"a"')),
  ],
  ["a file in Shift-JIS", () => asking(file(base64(Buffer.of(0x93, 0xfa, 0x96, 0x7b, 0x0a), 20), '"a"'))],
  ["a file in ISO-2022-JP", () => asking(file(base64("\u001B$BF|K\\\u001B(B", 20)))],
  ["a file in UTF-16", () => asking(file(fileOf("\u00FF\u00FEa\0", "a\0")))],
  ["a file in UTF-16 without a mark", () => asking(file(fileOf("a\0", "a\0")))],
  ["a file of three bytes a character", () => asking(file(base64("日本", 20)))],
  ["a file of blanks", () => asking(file(base64(" ", 20)))],
  ["a file of random bytes", () => asking(file(`"${randomBytes(20 * megabyte).toString("base64")}"`))],
  ["a file of zeros", () => asking(file(base64("\0", 20)))],
  [
    "a file that ends in no character",
    () =>
      asking(
        file(
          `"${Buffer.alloc(20 * megabyte, "é")
            .subarray(1)
            .toString("base64")}"`,
          '"a"',
        ),
      ),
  ],
  ["an archive of nearly names", () => asking(file(fileOf("PK\u0003\u0004", "word/documen")))],
  [
    "an old Office file of nearly names",
    () => asking(file(fileOf("\u00D0\u00CF\u0011\u00E0\u00A1\u00B1\u001A\u00E1", "WordDocumen", "utf16le"))),
  ],
  [
    "a video of nearly tracks",
    () => asking(file(fileOf("\0\0\0\u0018ftypmp42", "hdlr12345678vid"), '"a.mp4"')),
  ],
  [
    "a Matroska file of nearly tracks",
    () => asking(file(fileOf("\u001A\u0045\u00DF\u00A3", "\u0086\u0080V_"), '"a.mkv"')),
  ],
  ["a PDF of 20 MB", () => asking(file(fileOf("%PDF-1.7", "%PDF"), '"a.pdf"'))],
  ["half characters", () => asking(saying(text("\\ud800", 16)))],
  ["half a character behind a text of 30 MB", () => asking(saying(`"${"a".repeat(30 * megabyte)}\\ud800"`))],
  ["a wide text with half a character", () => asking(saying(`"${"日".repeat(10 * megabyte)}\\ud800"`))],
  [
    "a call's name of 20 MB",
    () =>
      asking(
        calling(`{"id":"a","type":"function","function":{"name":${text("!a", 20)},"arguments":"{}"}}`),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "a call's id of 20 MB",
    () =>
      asking(
        calling(`{"id":${text("!a", 20)},"type":"function","function":{"name":"a","arguments":"{}"}}`),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "a result's id of 20 MB",
    () => asking(`${hi},{"role":"tool","tool_call_id":${text("!a", 20)},"content":"a"}`),
  ],
  [
    "a tool's name of 20 MB",
    () => asking(hi, `,"tools":[{"type":"function","function":{"name":${text("!a", 20)}}}]`),
  ],
  [
    "a tool's name of 20 MB, often",
    () =>
      asking(hi, `,"tools":[${repeated(2, `{"type":"function","function":{"name":${text("!a", 10)}}}`)}]`),
  ],
  [
    "a tool's description of 30 MB",
    () => asking(hi, `,"tools":[{"type":"function","function":{"name":"a","description":${text(" ", 30)}}}]`),
  ],
  [
    "a schema's text of 30 MB",
    () =>
      asking(
        hi,
        `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","description":${text("a", 30)}}}}]`,
      ),
  ],
  [
    "a schema's name of 3 MB",
    () =>
      asking(
        hi,
        `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{${text("!a", 3)}:{}}}}}]`,
      ),
  ],
  [
    "a chosen tool's name of 20 MB",
    () =>
      asking(
        hi,
        `,"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"function","function":{"name":${text("!a", 20)}}}`,
      ),
  ],
  [
    "a grammar of 20 MB",
    () =>
      asking(
        hi,
        `,"tools":[{"type":"custom","custom":{"name":"a","format":{"type":"grammar","grammar":{"syntax":"lark","definition":${text(" ", 20)}}}}}]`,
      ),
  ],
  [
    "arguments of 15 MB",
    () =>
      asking(
        calling(
          `{"id":"a","type":"function","function":{"name":"a","arguments":"{\\"a\\":\\"${"b".repeat(15 * megabyte)}\\"}"}}`,
        ),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "arguments of 15 MB with escapes",
    () =>
      asking(
        calling(
          `{"id":"a","type":"function","function":{"name":"a","arguments":"{\\"a\\":\\"${"b"
            .repeat(12)
            .concat("\\\\n")
            .repeat(megabyte * 0.9)}\\"}"}}`,
        ),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "arguments of many values",
    () =>
      asking(
        calling(
          `{"id":"a","type":"function","function":{"name":"a","arguments":"{\\"a\\":[${repeated(40_000, "1")}]}"}}`,
        ),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "arguments of long numbers",
    () =>
      asking(
        calling(
          `{"id":"a","type":"function","function":{"name":"a","arguments":"{\\"a\\":[${repeated(30_000, "9".repeat(300))}]}"}}`,
        ),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "many results",
    () =>
      asking(
        `${calling(repeated(5800, '{"id":"a","type":"function","function":{"name":"a","arguments":"{}"}}'))},${repeated(2900, '{"role":"tool","tool_call_id":"a","content":"a"}')}`,
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "arguments that are no JSON",
    () =>
      asking(
        calling(`{"id":"a","type":"function","function":{"name":"a","arguments":${text("b", 15)}}}`),
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  [
    "arguments for no tools",
    () =>
      asking(
        calling(
          `{"id":"a","type":"function","function":{"name":"a","arguments":"{\\"a\\":\\"${"b".repeat(15 * megabyte)}\\"}"}}`,
        ),
      ),
  ],
  [
    "a text for a tool of 30 MB",
    () =>
      asking(
        calling(`{"id":"a","type":"custom","custom":{"name":"a","input":${text("b", 30)}}}`),
        ',"tools":[{"type":"custom","custom":{"name":"a"}}]',
      ),
  ],
  [
    "a result of 30 MB",
    () =>
      asking(
        `${calling('{"id":"a","type":"function","function":{"name":"a","arguments":"{}"}}')},{"role":"tool","tool_call_id":"a","content":${text("日", 10)}}`,
        ',"tools":[{"type":"function","function":{"name":"a"}}]',
      ),
  ],
  ["a mark of 20 MB", () => asking(hi, `,"metadata":{"a":${text("a!", 20)}}`)],
  ["a text that ends the answer of 20 MB", () => asking(hi, `,"stop":[${text("a", 20)}]`)],
  ["a word of 20 MB where few are known", () => asking(hi, `,"reasoning_effort":${text("a", 20)}`)],
  [
    "a list of many numbers where a word is known",
    () => asking(hi, `,"reasoning_effort":[${repeated(40_000, "1")}]`),
  ],
  ["an unknown field of 3 MB", () => asking(hi, `,${text("é", 1)}:1`)],
  ["an unknown field of many fields", () => asking(hi, `,"a":{${names(10_000, "1")}}`)],
  ["many objects", () => asking(repeated(240_000, "{}"))],
  ["too many objects", () => asking(repeated(5_000_000, "{}"))],
  ["many texts that end the answer", () => asking(hi, `,"stop":[${repeated(9000, '"a"')}]`)],
  ["as many values as there may be", () => asking(hi, `,"metadata":{"a":[${repeated(44_000, "{}")}]}`)],
  [
    "many different tools",
    () =>
      asking(
        hi,
        `,"tools":[${Array.from({ length: 5800 }, (_, index) => `{"type":"function","function":{"name":"t${index}","parameters":{}}}`).join(",")}]`,
      ),
  ],
  [
    "a tool of as many properties as there may be",
    () =>
      asking(
        hi,
        `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{${names(9900, "{}")}}}}}]`,
      ),
  ],
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
  ["a text of 31 MB", () => asking(saying(text("a", 31)))],
  ["a text with an escape in every 16 bytes", () => asking(saying(text(SPARSE, 31)))],
  ["a text of 31 MB of three bytes a character", () => asking(saying(text("日本", 31 / 3)))],
  [
    "many results",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[${repeated(3000, '{"type":"tool_use","id":"1","name":"a","input":{}}')}]},${saying(`[${repeated(3000, '{"type":"tool_result","tool_use_id":"1","content":"a"}')}]`)}`,
        ',"tools":[{"name":"a","input_schema":{"type":"object"}}]',
      ),
  ],
  [
    "different calls and results",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[${Array.from({ length: 3000 }, (_, index) => `{"type":"tool_use","id":"${index}","name":"a","input":{}}`).join(",")}]},${saying(`[${Array.from({ length: 3000 }, (_, index) => `{"type":"tool_result","tool_use_id":"${index}","content":"a"}`).join(",")}]`)}`,
        ',"tools":[{"name":"a","input_schema":{"type":"object"}}]',
      ),
  ],
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
      asking(block("image", `"source":${source(`"data":"${"iVBORw0KGgo".padEnd(20 * megabyte, "A")}"`)}`)),
  ],
  [
    "an image that is almost base64",
    () => asking(block("image", `"source":${source(`"data":"${"A".repeat(20 * megabyte)}!"`)}`)),
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
    "withheld thinking that is almost base64",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"redacted_thinking","data":"bytes:${" A".repeat(10 * megabyte)}!"}]}`,
      ),
  ],
  [
    "thinking of 20 MB",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"thinking","thinking":${text("日", 7)},"signature":"a"}]}`,
      ),
  ],
  [
    "a document in lines",
    () =>
      asking(
        block(
          "document",
          `"source":{"type":"base64","media_type":"application/pdf","data":${inLines(fileOf("%PDF-1.7", "%PDF"))}}`,
        ),
      ),
  ],
  [
    "a document of three bytes a character",
    () =>
      asking(
        block("document", `"source":{"type":"text","media_type":"text/plain","data":${text("日", 10)}}`),
      ),
  ],
  [
    "a document that is cited of 30 MB",
    () =>
      asking(
        block(
          "document",
          `"citations":{"enabled":true},"source":{"type":"text","media_type":"text/plain","data":${text("日", 10)}}`,
        ),
      ),
  ],
  [
    "a document that is an archive",
    () =>
      asking(
        block(
          "document",
          `"source":{"type":"base64","media_type":"application/pdf","data":${fileOf("PK\u0003\u0004", "word/documen")}}`,
        ),
      ),
  ],
  [
    "a system prompt that is a note of 31 MB",
    () => asking(hi, `,"system":"x-anthropic-billing-header:${"a".repeat(31 * megabyte)}"`),
  ],
  ["a system message of 31 MB", () => asking(`${hi},{"role":"system","content":${text("a", 31)}}`)],
  [
    "a state of a browser of many fields",
    () =>
      asking(
        `{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"browser_state",${names(10_000, '"a"')}}]}]}`,
      ),
  ],
  [
    "a state of a browser of 30 MB",
    () =>
      asking(
        `{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"browser_state","a":${text("\\n", 5)},"b":${text("a", 20)}}]}]}`,
      ),
  ],
  [
    "a call's input of 30 MB",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"a","input":{"a":${text("a", 30)}}}]}`,
      ),
  ],
  [
    "a call's names of 20 MB",
    () =>
      asking(
        `${hi},{"role":"assistant","content":[{"type":"tool_use","id":${text("!a", 10)},"name":${text("!a", 10)},"input":{}}]}`,
      ),
  ],
  [
    "a found tool's name of 20 MB",
    () =>
      asking(
        `{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"tool_reference","tool_name":${text("!a", 20)}}]}]}`,
      ),
  ],
  [
    "what was found of 20 MB",
    () =>
      asking(
        block(
          "search_result",
          `"source":${text("a", 10)},"title":${text(" ", 10)},"content":[{"type":"text","text":${text("日", 3)}}]`,
        ),
      ),
  ],
  ["a person's name of 20 MB", () => asking(hi, `,"metadata":{"user_id":${text("a!", 20)}}`)],
  ["many ends", () => asking(hi, `,"stop_sequences":[${repeated(9000, '"a"')}]`)],
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
        `${hi},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"a","input":{${names(10_000, "1")}}}]}`,
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
        `,"tools":[{"name":"a","input_schema":{"type":"object","properties":{${names(10_000, "{}")}}}}]`,
      ),
  ],
  ["many fields", () => `{"model":"${MODEL}","messages":[${hi}],${names(10_000, "1")}}`],
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
  ["a text with an escape in every 16 bytes", () => `{"model":"${MODEL}","input":${text(SPARSE, 31)}}`],
  [
    "a text of 31 MB of three bytes a character",
    () => `{"model":"${MODEL}","input":${text("日本", 31 / 3)}}`,
  ],
  [
    "arguments of 15 MB with escapes",
    () =>
      items(
        `${question},{"type":"function_call","call_id":"a","name":"a","arguments":"{\\"a\\":\\"${"b"
          .repeat(12)
          .concat("\\\\n")
          .repeat(megabyte * 0.9)}\\"}"}`,
        ',"tools":[{"type":"function","name":"a","parameters":{}}]',
      ),
  ],
  [
    "many calls and results",
    () =>
      items(
        `${question},${Array.from({ length: 2900 }, (_, index) => `{"type":"function_call","call_id":"c${index}","name":"a","arguments":"{}"},{"type":"function_call_output","call_id":"c${index}","output":"a"}`).join(",")}`,
        ',"tools":[{"type":"function","name":"a","parameters":{}}]',
      ),
  ],
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
        `"type":"input_image","image_url":"data:image/png;base64,${"iVBORw0KGgo".padEnd(20 * megabyte, "A")}"`,
      ),
  ],
  [
    "a file that is almost base64",
    () => part(`"type":"input_file","file_data":"${"=".repeat(8 * megabyte)}"`),
  ],
  ["reasoning of 20 MB", () => reasoning(`ocs1.YQ.${"A".repeat(20 * megabyte)}`)],
  ["reasoning of dots", () => reasoning(`ocs1${".".repeat(8 * megabyte)}`)],
  [
    "reasoning that is almost base64",
    () => reasoning(`ocs1.${" A".repeat(8 * megabyte)}!.${" A".repeat(4 * megabyte)}!`),
  ],
  ["reasoning of three bytes a character", () => reasoning(`ocs1.YQ.${base64("日本", 20).slice(1, -1)}`)],
  ["reasoning that was withheld of 20 MB", () => reasoning(`ocr1.${"A".repeat(20 * megabyte)}`)],
  ["a signature of 20 MB", () => reasoning(`ocs1.${"A".repeat(20 * megabyte)}.YQ`)],
  [
    "a file of another encoding",
    () =>
      part(
        `"type":"input_file","filename":"a","file_data":${base64(Buffer.from("Grüße aus Köln\n", "latin1"), 20)}`,
      ),
  ],
  ["an item's id of 20 MB", () => items(`${question},{"type":"item_reference","id":${text("a", 20)}}`)],
  [
    "a namespace of 20 MB",
    () =>
      items(
        question,
        `,"tools":[{"type":"namespace","name":${text("!a", 20)},"tools":[{"type":"custom","name":"a"}]}]`,
      ),
  ],
  [
    "a namespace of 3 MB, often",
    () =>
      items(
        question,
        `,"tools":[{"type":"namespace","name":${text("!a", 3)},"tools":[${Array.from({ length: 2000 }, (_, index) => `{"type":"custom","name":"t${index}"}`).join(",")}]}]`,
      ),
  ],
  [
    "found tools of long names",
    () =>
      items(
        `${question},${repeated(2, `{"type":"tool_search_output","call_id":"c","tools":[{"type":"function","name":${text("!a", 10)}}]}`)}`,
      ),
  ],
  [
    "a schema's text of 30 MB",
    () =>
      items(
        question,
        `,"tools":[{"type":"function","name":"a","parameters":{"type":"object","description":${text("a", 30)}}}]`,
      ),
  ],
  ["instructions that are blank", () => items(question, `,"instructions":${text(" ", 31)}`)],
  ["metadata of many names", () => items(question, `,"metadata":{${names(9000, '"a"')}}`)],
  ["includes that are many", () => items(question, `,"include":[${repeated(9000, '"a"')}]`)],
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
  ["many fields", () => items(question, `,${names(10_000, "1")}`)],
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
  ["a text with an escape in every 16 bytes", () => conversing(holding(`{"text":${text(SPARSE, 31)}}`))],
  [
    "a text of 31 MB of three bytes a character",
    () => conversing(holding(`{"text":${text("日本", 31 / 3)}}`)),
  ],
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
          `{"image":{"format":"png","source":{"bytes":"${"iVBORw0KGgo".padEnd(20 * megabyte, "A")}"}}}`,
        ),
      ),
  ],
  [
    "bytes of almost base64",
    () =>
      conversing(holding(`{"image":{"format":"png","source":{"bytes":"${"A".repeat(20 * megabyte)}!"}}}`)),
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
  ["many fields", () => conversing(holding('{"text":"a"}'), `,${names(10_000, "1")}`)],
  [
    "many fields of the model's",
    () => conversing(holding('{"text":"a"}'), `,"additionalModelRequestFields":{${names(10_000, "1")}}`),
  ],
  [
    "a field of the model's of many fields",
    () =>
      conversing(holding('{"text":"a"}'), `,"additionalModelRequestFields":{"a":{${names(10_000, "1")}}}`),
  ],
  [
    "an image in lines",
    () =>
      conversing(
        holding(`{"image":{"format":"png","source":{"bytes":${inLines(fileOf("\u0089PNG\r\n", "AAAA"))}}}}`),
      ),
  ],
  [
    "withheld thinking of 20 MB",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"reasoningContent":{"redactedContent":${text("A", 20)}}}]}`,
      ),
  ],
  [
    "a signature of 20 MB",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"a","signature":${text("A", 20)}}}}]}`,
      ),
  ],
  [
    "a document's name of 20 MB",
    () =>
      conversing(
        holding(`{"text":"a"},{"document":{"format":"txt","name":${text("!a", 20)},"source":{"text":"a"}}}`),
      ),
  ],
  [
    "a document of 30 MB of text",
    () =>
      conversing(
        holding(`{"text":"a"},{"document":{"format":"txt","name":"a","source":{"text":${text("日", 10)}}}}`),
      ),
  ],
  [
    "a document of bytes",
    () =>
      conversing(
        holding(
          `{"text":"a"},{"document":{"format":"txt","name":"a","source":{"bytes":${base64(" ", 20)}}}}`,
        ),
      ),
  ],
  [
    "a call's input of 30 MB",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"a","input":{"a":${text("a", 30)}}}}]}`,
      ),
  ],
  [
    "a call's input of many fields",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"a","input":{${names(10_000, "1")}}}}]}`,
      ),
  ],
  [
    "a call's input that is a text of 30 MB",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"a","input":${text("a", 30)}}}]}`,
      ),
  ],
  [
    "a call's names of 20 MB",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"toolUse":{"toolUseId":${text("!a", 10)},"name":${text("!a", 10)},"input":{}}}]}`,
      ),
  ],
  [
    "a result of JSON of 30 MB",
    () => conversing(holding(`{"toolResult":{"toolUseId":"a","content":[{"json":{"a":${text("a", 30)}}}]}}`)),
  ],
  [
    "a result of JSON of many fields",
    () =>
      conversing(holding(`{"toolResult":{"toolUseId":"a","content":[{"json":{${names(10_000, "1")}}}]}}`)),
  ],
  [
    "what is guarded of 30 MB",
    () => conversing(holding(`{"guardContent":{"text":{"text":${text("日", 10)}}}}`)),
  ],
  [
    "sources of an answer",
    () =>
      conversing(
        `${holding('{"text":"a"}')},{"role":"assistant","content":[{"citationsContent":{"content":[{"text":${text("a", 20)}}],"citations":[${repeated(9000, "{}")}]}}]}`,
      ),
  ],
  [
    "a tool's names of 20 MB",
    () =>
      conversing(
        holding('{"text":"a"}'),
        `,"toolConfig":{"tools":[{"toolSpec":{"name":${text("!a", 20)},"inputSchema":{"json":{}}}}]}`,
      ),
  ],
  [
    "a field of the model's of 30 MB",
    () => conversing(holding('{"text":"a"}'), `,"additionalModelRequestFields":{"a":${text("a", 30)}}`),
  ],
  [
    "an ending of 20 MB",
    () => conversing(holding('{"text":"a"}'), `,"inferenceConfig":{"stopSequences":[${text("a", 20)}]}`),
  ],
  [
    "a guardrail of 20 MB",
    () =>
      conversing(
        holding('{"text":"a"}'),
        `,"guardrailConfig":{"guardrailIdentifier":${text("a", 20)},"guardrailVersion":"1"}`,
      ),
  ],
  [
    "a path in the answer of 20 MB",
    () => conversing(holding('{"text":"a"}'), `,"additionalModelResponseFieldPaths":[${text("/a", 20)}]`),
  ],
  [
    "a mark of 20 MB",
    () => conversing(holding('{"text":"a"}'), `,"requestMetadata":{"a":${text("a!", 20)}}`),
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
  ["as many texts as there may be", () => embedding(`[${repeated(asked(2048), '"a"')}]`)],
  ["more texts than there may be", () => embedding(`[${repeated(40_000, '"a"')}]`)],
  ["texts that are numbers", () => embedding(`[${repeated(40_000, "1")}]`)],
  ["many fields", () => embedding('"a"', `,${names(10_000, "1")}`)],
  [
    "as many long texts as there may be",
    () => embedding(`[${repeated(asked(2048), `"${"a".repeat(15_500)}"`)}]`),
  ],
  ["texts of 15 kB", () => embedding(`[${repeated(asked(2000), `"${"日".repeat(5200)}"`)}]`)],
  ["a text of blanks", () => embedding(text(" ", 31))],
  ["a word of 20 MB where few are known", () => embedding('"a"', `,"input_type":${text("a", 20)}`)],
];

/** Bodies of a vendor's own that are handed on as they are. */
const OTHERS: typeof EMBEDDINGS = [
  ["a prompt of 31 MB", () => `{"prompt":${text("a", 31)}}`],
  ["a prompt of three bytes a character", () => `{"prompt":${text("日", 10)}}`],
  ["a prompt of line ends", () => `{"prompt":${text("\\n", 5)}}`],
  ["many fields", () => `{"prompt":"a",${names(10_000, "1")}}`],
  ["a field of many fields", () => `{"prompt":"a","a":{${names(10_000, "1")}}}`],
];

export interface HostileBody {
  path: string;
  what: string;
  /** Makes it, with such a part of its megabytes. */
  make: (part?: number) => string;
}

const BODIES: readonly { path: string; what: string; make: () => string }[] = [
  ...COMPLETIONS.map(([what, make]) => ({ path: "/v1/chat/completions", what, make })),
  ...RESPONSES.map(([what, make]) => ({ path: "/v1/responses", what, make })),
  ...MESSAGES.flatMap(([what, make]) => [
    { path: "/v1/messages", what, make },
    { path: "/v1/messages/count_tokens", what, make },
  ]),
  ...EMBEDDINGS.map(([what, make]) => ({ path: "/v1/embeddings", what, make })),
  ...CONVERSE.flatMap(([what, make]) => [
    { path: `/model/${MODEL}/converse`, what, make },
    { path: `/model/${MODEL}/invoke`, what, make },
  ]),
  ...MESSAGES.map(([what, make]) => ({
    path: `/model/${MODEL}/invoke`,
    what: `${what}, to Claude`,
    make: () => make().replace('"model"', '"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"model"'),
  })),
  ...OTHERS.map(([what, make]) => ({ path: "/model/meta.llama3-8b-instruct-v1:0/invoke", what, make })),
  ...CONVERSE.map(([what, make]) => ({
    path: `/model/${MODEL}/count-tokens`,
    what,
    make: () => `{"input":{"converse":${make()}}}`,
  })),
  {
    path: `/model/${MODEL}/count-tokens`,
    what: "a body of 7 MB in base64",
    make: () =>
      `{"input":{"invokeModel":{"body":"${Buffer.from(conversing(holding(`{"text":${text("a", 7)}}`))).toString("base64")}"}}}`,
  },
];

/** All of them, by where they are sent. */
export const HOSTILE_BODIES: readonly HostileBody[] = BODIES.map(({ path, what, make }) => ({
  path,
  what,
  make: (part = 1) => {
    const whole = megabyte;
    megabyte *= part;
    try {
      return make();
    } finally {
      megabyte = whole;
    }
  },
}));
