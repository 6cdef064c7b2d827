import { OpenclawError, shorten, withFields } from "../../../errors.ts";
import { baseModelId } from "../../../models/base-model-id.ts";
import { embedsText } from "../../../models/callable.ts";
import { batchesOf, type EmbeddingForm } from "../../../models/embedding-forms.ts";
import { familyOf } from "../../../models/families.ts";
import { ifJson } from "../../../json-bounds.ts";
import { nextTurn } from "../../../next-turn.ts";
import { nearestIds } from "../../../models/nearest.ts";
import { unknownModel } from "../../../models/resolve-model.ts";
import { isOfBedrock } from "../../../models/provider-api.ts";
import { askerOf, noteRequest } from "../../answer-call.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import { refused } from "../../request-field.ts";
import type { Upstream } from "../../upstream.ts";
import { type EmbeddingsAsked, fromEmbeddingsRequest } from "./from-embeddings-request.ts";
import { toAnswer, toEntries } from "./to-embeddings.ts";

export const embeddings: Dialect = {
  name: "embeddings",
  roots: ["/v1/embeddings"],
  toError: (error) => ({ body: toErrorBody(error) }),
  routes: [{ method: "POST", path: "/v1/embeddings", answer: embed }],
};

/** There are no tokens of an answer to be kept free. */
const NO_ANSWER = { maxTokens: 1 };
/** Calls of one request that are on their way together. */
const CONCURRENCY = 8;
/** What OpenAI's own models are named, which clients ask for unless they are told otherwise. */
const OPENAIS = /^text-embedding-/i;

async function embed(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { call, body } = request;
  const asked = fromEmbeddingsRequest(body);
  await noteRequest(service, request, { ...asked, isStreamed: false, notices: [] });
  const { name, id, form } = await findForm(asked.model, service.upstream);
  checkDimensions(asked, id, form);
  checkLengths(asked.texts, id, form);
  if (asked.inputType !== undefined && !form.takesInputType)
    call.note(`${id} embeds every text alike; input_type is left out`);
  const { dimensions, inputType, encoding } = asked;
  call.asked = { dimensions, encoding };
  const options = { dimensions: form.namesDimensions ? dimensions : undefined, inputType };
  const ask = askerOf(service, call, name);
  const batches = placed(batchesOf(asked.texts, form));
  const entries: string[][] = [];
  let tokens = 0;
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const { texts, first } = batch;
      const invocation = { body: form.body(texts, options), headers: {}, isStreamed: false };
      const bytes: Uint8Array[] = [];
      for await (const event of ask({ messages: [], parameters: NO_ANSWER, invocation })) {
        if (event.type === "start") call.begin(event);
        if (event.type === "chunk") bytes.push(event.bytes);
        if (event.type === "usage") tokens += event.inputTokens;
      }
      const vectors = form.read(parsed(Buffer.concat(bytes)));
      if (vectors?.length !== texts.length) throw unreadable(id);
      entries[first] = await toEntries(vectors, first, asked.encoding);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } catch (failure) {
    // The others are of no use any more.
    batches.length = 0;
    throw failure instanceof OpenclawError && failure.code === "input-too-long"
      ? withFields(failure, { details: { ...failure.details, param: "input" } })
      : failure;
  }
  call.entry.promptTokens = tokens;
  return new Response(inPieces(toAnswer(Object.values(entries).flat(), asked.model, tokens)), {
    headers: { "content-type": "application/json" },
  });
}

/** What is sent as it is taken, each piece in a turn of its own. */
function inPieces(pieces: Iterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        await nextTurn();
        const { value } = pieces.next();
        if (value) controller.enqueue(value);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Batches with the place of their first text. */
function placed(batches: readonly (readonly string[])[]): { texts: readonly string[]; first: number }[] {
  let first = 0;
  return batches.map((texts) => {
    const batch = { texts, first };
    first += texts.length;
    return batch;
  });
}

/**
 * How texts go into the model of a name. Names of OpenAI's models that nobody knows here are those of the configured one.
 * Throws `model-not-found`, and `invalid-request` for a model that gives no vectors.
 */
async function findForm(
  name: string,
  upstream: Upstream,
): Promise<{ name: string; id: string; form: EmbeddingForm }> {
  try {
    const { model, known } = await upstream.firstModel(name);
    const { embedding: form } = familyOf(baseModelId(model.id, known));
    if (form && isOfBedrock(model)) return { name, id: model.id, form };
    throw refused(`'${shorten(model.id)}' is not known to embed texts.`, "model");
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "model-not-found") throw error;
    const { setup, modelList } = await upstream.current();
    const configured = setup.config.value.agents?.defaults?.embeddingModel;
    if (configured !== undefined && OPENAIS.test(name) && configured !== name)
      return findForm(configured, upstream);
    // A model that chats is not what was meant.
    const ids = (modelList.load.discovered?.models ?? []).flatMap((model) =>
      model.lifecycle === "ACTIVE" && embedsText(model) ? model.id : [],
    );
    throw unknownModel(name, nearestIds(name, ids));
  }
}

function checkDimensions({ dimensions }: EmbeddingsAsked, id: string, form: EmbeddingForm): void {
  if (dimensions === undefined || form.dimensions.includes(dimensions)) return;
  throw refused(
    `'${id}' has no vectors of ${dimensions} dimensions. It has them of ${form.dimensions.join(", ")}.`,
    "dimensions",
  );
}

function checkLengths(texts: readonly string[], id: string, { mostCharacters }: EmbeddingForm): void {
  if (mostCharacters === undefined) return;
  const index = texts.findIndex((text) => text.length > mostCharacters);
  const text = texts[index];
  if (text === undefined) return;
  throw refused(
    `Text ${index + 1} has ${text.length} characters, and '${id}' takes ${mostCharacters}.`,
    "input",
    "context_length_exceeded",
  );
}

/** What AWS answers, of which a call has 98,304 numbers and more; undefined for what is no JSON. */
function parsed(bytes: Buffer): unknown {
  return ifJson<unknown>(() => JSON.parse(bytes.toString("utf8")));
}

function unreadable(id: string): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer of '${id}' does not have the vectors that were asked for.`,
  });
}
