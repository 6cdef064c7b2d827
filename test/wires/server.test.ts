import { describe, expect, it } from "vitest";
import { serverOf } from "../../src/wires/server.ts";

const baseUrl = "http://127.0.0.1:11434/v1/";

describe("reads how a provider is called", () => {
  it("with nothing but an address", () => {
    const server = serverOf("ollama", { baseUrl }, {});
    expect(server.headers).toEqual({});
    expect(server.shownUrl).toBe("http://127.0.0.1:11434/v1");
  });

  it("with a key and headers out of the environment", () => {
    const provider = { baseUrl, apiKey: "${KEY}", headers: { "X-Team": "${TEAM}-1", plain: "p" } };
    const server = serverOf("lab", provider, { KEY: "sk-1", TEAM: "blue" });
    expect(server.headers).toEqual({ authorization: "Bearer sk-1", "x-team": "blue-1", plain: "p" });
    expect(server.secrets).toEqual(["sk-1", "blue-1", "p"]);
  });

  it("without the key where auth is none", () => {
    expect(serverOf("lab", { baseUrl, apiKey: "${KEY}", auth: "none" }, {}).headers).toEqual({});
  });

  it("with a user and password of the address, which are not shown", () => {
    const server = serverOf("lab", { baseUrl: "https://me:p%40ss@models.example/v1" }, {});
    expect(server.headers).toEqual({ authorization: `Basic ${Buffer.from("me:p@ss").toString("base64")}` });
    expect(server.shownUrl).toBe("https://models.example/v1");
    expect(server.secrets).toEqual(["p@ss"]);
  });

  it.each([
    ["https://api.anthropic.com", "https://api.anthropic.com/v1"],
    ["https://api.anthropic.com/", "https://api.anthropic.com/v1"],
    ["https://api.anthropic.com/v1/", "https://api.anthropic.com/v1"],
    ["https://api.minimax.io/anthropic", "https://api.minimax.io/anthropic/v1"],
  ])("by Anthropic's API at %s, with the key and the version where that has them", (baseUrl, shown) => {
    const provider = { api: "anthropic-messages", baseUrl, apiKey: "sk-1" } as const;
    const server = serverOf("lab", provider, {});
    expect(server.shownUrl).toBe(shown);
    expect(server.headers).toEqual({ "x-api-key": "sk-1", "anthropic-version": "2023-06-01" });
    const bearer = { ...provider, auth: "none", headers: { Authorization: "Bearer sk-2" } } as const;
    expect(serverOf("lab", bearer, {}).headers).toEqual({
      authorization: "Bearer sk-2",
      "anthropic-version": "2023-06-01",
    });
  });

  it("with the query that Azure wants", () => {
    const { url } = serverOf("azure", { baseUrl: "https://x.example/openai?api-version=1" }, {});
    expect(url.searchParams.get("api-version")).toBe("1");
    expect(url.pathname).toBe("/openai");
  });
});

describe("refuses a provider", () => {
  it.each<[string, Parameters<typeof serverOf>[1], string[]]>([
    ["without an address", {}, ["'lab'"]],
    [
      "whose key is a variable that is not set",
      { baseUrl, apiKey: "${LAB_KEY}" },
      ["LAB_KEY", "models.providers.lab.apiKey"],
    ],
    [
      "whose header is a variable that is not set",
      { baseUrl, headers: { "X-Team": "${TEAM}" } },
      ["TEAM", "models.providers.lab.headers.X-Team"],
    ],
    ["that wants a key and has none", { baseUrl, auth: "api-key" }, ["models.providers.lab.apiKey"]],
    ["that wants AWS credentials", { baseUrl, auth: "aws-sdk" }, ["aws-sdk"]],
  ])("%s", (_, provider, words) => {
    let failure: unknown;
    try {
      serverOf("lab", provider, {});
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "config-invalid" });
    for (const word of words) expect((failure as Error).message).toContain(word);
  });
});
