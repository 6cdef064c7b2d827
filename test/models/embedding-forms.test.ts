import { describe, expect, it } from "vitest";
import { familyOf } from "../../src/models/families.ts";

const PLAIN = { dimensions: undefined, inputType: undefined };

/** A body of each family, by the pages that its row names, and an answer of it. */
const FORMS: readonly [
  id: string,
  longest: number,
  texts: string[],
  body: object,
  answer: object,
  vectors: number[][],
][] = [
  [
    "amazon.titan-embed-text-v1",
    1536,
    ["a"],
    { inputText: "a" },
    { embedding: [1, 2], inputTextTokenCount: 1 },
    [[1, 2]],
  ],
  [
    "amazon.titan-embed-text-v2:0",
    1024,
    ["a"],
    { inputText: "a" },
    { embedding: [1, 2], embeddingsByType: { float: [1, 2] } },
    [[1, 2]],
  ],
  [
    "cohere.embed-english-v3",
    1024,
    ["a", "b"],
    { texts: ["a", "b"], input_type: "search_document" },
    { embeddings: [[1], [2]], response_type: "embeddings_floats" },
    [[1], [2]],
  ],
  [
    "cohere.embed-v4:0",
    1536,
    ["a", "b"],
    { texts: ["a", "b"], input_type: "search_document", embedding_types: ["float"], truncate: "NONE" },
    { embeddings: { float: [[1], [2]] }, response_type: "embeddings_by_type" },
    [[1], [2]],
  ],
  [
    "amazon.nova-2-multimodal-embeddings-v1:0",
    3072,
    ["a"],
    {
      taskType: "SINGLE_EMBEDDING",
      singleEmbeddingParams: {
        embeddingPurpose: "GENERIC_INDEX",
        text: { truncationMode: "NONE", value: "a" },
      },
    },
    { embeddings: [{ embeddingType: "TEXT", embedding: [1, 2] }] },
    [[1, 2]],
  ],
];

describe("a family that embeds", () => {
  it.each(FORMS)("%s", (id, longest, texts, body, answer, vectors) => {
    const { embedding } = familyOf(id);
    expect(embedding?.dimensions[0]).toBe(longest);
    expect(embedding?.body(texts, PLAIN)).toEqual(body);
    expect(embedding?.read(answer)).toEqual(vectors);
    for (const other of [
      {},
      [],
      "text",
      null,
      { embedding: "x" },
      { embeddings: [["x"]] },
      { embeddings: [{}] },
    ])
      expect(embedding?.read(other)).toBeUndefined();
    expect(embedding?.source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
    expect(embedding?.price).toBeGreaterThan(0);
  });

  it.each([
    ["amazon.titan-embed-text-v2:0", { dimensions: 256 }, { dimensions: 256 }],
    ["cohere.embed-v4:0", { dimensions: 512 }, { output_dimension: 512 }],
    ["cohere.embed-multilingual-v3", { inputType: "query" }, { input_type: "search_query" }],
    ["cohere.embed-v4:0", { inputType: "clustering" }, { input_type: "clustering" }],
    [
      "amazon.nova-2-multimodal-embeddings-v1:0",
      { dimensions: 384, inputType: "query" },
      { singleEmbeddingParams: { embeddingPurpose: "GENERIC_RETRIEVAL", embeddingDimension: 384 } },
    ],
  ] as const)("%s takes %j", (id, options, fields) => {
    expect(familyOf(id).embedding?.body(["a"], { ...PLAIN, ...options })).toMatchObject(fields);
  });

  it.each([
    "amazon.nova-lite-v1:0",
    "amazon.titan-image-generator-v2:0",
    "cohere.rerank-v3-5:0",
    "cohere.command-r-v1:0",
  ])("is not that of %s", (id) => {
    expect(familyOf(id).embedding).toBeUndefined();
  });
});
