// What the clients of `openclaw serve` speak, for those who measure it: each delta of the Bedrock behind it says when it was
// sent.

/**
 * Where they ask, what, how the stamps stand in what they get, and what the last of it is.
 * @typedef {object} Dialect
 * @property {string} name
 * @property {string} path
 * @property {object} body
 * @property {(text: string) => number[]} read
 * @property {(text: string) => boolean} isWhole
 */

export const MODEL = "amazon.nova-lite-v1:0";
const QUESTION = "Hello";
const OF_MODEL = `/model/${encodeURIComponent(MODEL)}`;
const messages = [{ role: "user", content: QUESTION }];
const blocks = [{ role: "user", content: [{ text: QUESTION }] }];

/** @type {(pattern: RegExp) => (text: string) => number[]} */
const stampsBy = (pattern) => (text) =>
  [...text.matchAll(pattern)].flatMap(([, stamps = ""]) => stamps.trim().split(" ").map(Number));
/** The stamps in the binary frames of Bedrock stand in JSON, too. */
const readFrames = stampsBy(/"text":"((?: [\d.]+)+)"/g);
/** InvokeModel has its events in base64, each in a frame. */
const inChunks = (/** @type {string} */ text) =>
  [...text.matchAll(/"bytes":"([^"]+)"/g)].map(([, bytes = ""]) => Buffer.from(bytes, "base64")).join("\n");

/** Converse, which the Bedrock behind speaks, too. */
export const CONVERSE = {
  name: "Converse",
  path: `${OF_MODEL}/converse-stream`,
  body: { messages: blocks },
  read: readFrames,
  isWhole: (/** @type {string} */ text) => text.includes('{"usage"'),
};

/** @type {readonly Dialect[]} */
export const DIALECTS = [
  {
    name: "chat completions",
    path: "/v1/chat/completions",
    body: { model: MODEL, stream: true, messages },
    read: stampsBy(/"content":"((?: [\d.]+)+)"/g),
    isWhole: (text) => text.endsWith("data: [DONE]\n\n"),
  },
  {
    name: "Responses",
    path: "/v1/responses",
    body: { model: MODEL, stream: true, input: QUESTION },
    read: stampsBy(/"delta":"((?: [\d.]+)+)"/g),
    isWhole: (text) => text.includes('"type":"response.completed"'),
  },
  {
    name: "Messages",
    path: "/v1/messages",
    body: { model: MODEL, stream: true, max_tokens: 1000, messages },
    read: stampsBy(/"text_delta","text":"((?: [\d.]+)+)"/g),
    isWhole: (text) => text.includes('"type":"message_stop"'),
  },
  CONVERSE,
  {
    name: "InvokeModel",
    path: `${OF_MODEL}/invoke-with-response-stream`,
    body: { schemaVersion: "messages-v1", messages: blocks },
    read: (text) => readFrames(inChunks(text)),
    isWhole: (text) => inChunks(text).includes('{"metadata"'),
  },
];

/** Embeddings, which come in one piece, without a stamp. */
export const EMBEDDINGS = {
  name: "embeddings",
  path: "/v1/embeddings",
  body: { model: "amazon.titan-embed-text-v2:0", input: QUESTION },
  read: () => [],
  isWhole: (/** @type {string} */ text) => text.includes('"embedding"') && text.endsWith("}"),
};
