import { isRecord } from "../json.ts";

/** What a text is embedded for. */
export type InputType = "document" | "query" | "classification" | "clustering";

export interface EmbeddingOptions {
  dimensions: number | undefined;
  inputType: InputType | undefined;
}

/** A body of InvokeModel for texts, and what of its answer the vectors are. */
export interface EmbeddingForm {
  /** The most texts of one call. */
  mostTexts: number;
  /** The most characters of one text, where it is bounded by them. */
  mostCharacters?: number;
  /** The lengths that a vector may have, the longest first; what is first is what comes unless another one is asked for. */
  dimensions: readonly number[];
  /** Whether a request may name the length; otherwise it has one only. */
  namesDimensions: boolean;
  /** Whether it is told what a text is for. */
  takesInputType: boolean;
  body(texts: readonly string[], options: EmbeddingOptions): object;
  /** The vectors of an answer, in the order of the texts; undefined for an answer of another form. */
  read(answer: unknown): number[][] | undefined;
}

const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === "number");

function vectorsOf(value: unknown): number[][] | undefined {
  return Array.isArray(value) && value.every(isVector) ? value : undefined;
}

/** One text, and its vector: `inputText` and `embedding`. */
const INPUT_TEXT = {
  mostTexts: 1,
  namesDimensions: false,
  takesInputType: false,
  body: ([inputText = ""]) => ({ inputText }),
  read: (answer) => (isRecord(answer) && isVector(answer["embedding"]) ? [answer["embedding"]] : undefined),
} satisfies Partial<EmbeddingForm>;

/** Many texts of one type: `texts` and `embeddings`, by their type where several can be asked for. */
const TEXTS = {
  mostTexts: 96,
  namesDimensions: false,
  takesInputType: true,
  body: (texts, { inputType = "document" }) => ({
    texts,
    input_type: inputType === "document" || inputType === "query" ? `search_${inputType}` : inputType,
  }),
  read: (answer) => {
    if (!isRecord(answer)) return undefined;
    const { embeddings } = answer;
    return vectorsOf(isRecord(embeddings) ? embeddings["float"] : embeddings);
  },
} satisfies Partial<EmbeddingForm>;

const PURPOSES: Readonly<Record<InputType, string>> = {
  document: "GENERIC_INDEX",
  query: "GENERIC_RETRIEVAL",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
};

/** How texts go in and vectors come out, whoever's model it is. What is too long is refused, never cut. */
export const EMBEDDING_FORMS = {
  inputText: INPUT_TEXT,
  inputTextWithDimensions: {
    ...INPUT_TEXT,
    namesDimensions: true,
    body: ([inputText = ""], { dimensions }) => ({
      inputText,
      ...(dimensions === undefined ? {} : { dimensions }),
    }),
  },
  texts: TEXTS,
  textsWithDimensions: {
    ...TEXTS,
    namesDimensions: true,
    body: (texts, options) => ({
      ...TEXTS.body(texts, options),
      embedding_types: ["float"],
      // No default is told: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
      truncate: "NONE",
      ...(options.dimensions === undefined ? {} : { output_dimension: options.dimensions }),
    }),
  },
  singleEmbedding: {
    mostTexts: 1,
    namesDimensions: true,
    takesInputType: true,
    body: ([value = ""], { dimensions, inputType = "document" }) => ({
      taskType: "SINGLE_EMBEDDING",
      singleEmbeddingParams: {
        embeddingPurpose: PURPOSES[inputType],
        ...(dimensions === undefined ? {} : { embeddingDimension: dimensions }),
        text: { truncationMode: "NONE", value },
      },
    }),
    read: (answer) => {
      const list: unknown = isRecord(answer) ? answer["embeddings"] : undefined;
      const [first] = Array.isArray(list) ? (list as unknown[]) : [];
      return isRecord(first) && isVector(first["embedding"]) ? [first["embedding"]] : undefined;
    },
  },
} satisfies Record<string, Omit<EmbeddingForm, "dimensions">>;

/** Texts of one call have no more characters than this together, so that an answer comes in reasonable time. */
const MOST_CHARACTERS = 200_000;

/** Texts in their order, as many together as one call of a model takes. */
export function batchesOf(
  texts: readonly string[],
  { mostTexts }: Pick<EmbeddingForm, "mostTexts">,
): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let characters = 0;
  for (const text of texts) {
    const isFull = batch.length >= mostTexts || characters + text.length > MOST_CHARACTERS;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      [batch, characters] = [[], 0];
    }
    batch.push(text);
    characters += text.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
