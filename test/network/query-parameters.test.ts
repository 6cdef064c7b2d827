import { describe, expect, it } from "vitest";
import { queryParameters } from "../../src/network/query-parameters.ts";

describe("the query of an address", () => {
  it.each([
    ["", {}],
    ["a=1", { a: "1" }],
    ["a=1&b=%2B+x&a=2&a=", { a: ["1", "2", ""], b: "+ x" }],
    ["flag&__proto__=1", { flag: "", ["__proto__"]: "1" }],
  ])("%j keeps every value", (query, expected) => {
    expect(queryParameters(new URLSearchParams(query))).toEqual(expected);
  });
});
