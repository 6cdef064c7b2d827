import { describe, expect, test } from "vitest";
import { inspectConfig } from "../../src/config/inspect.ts";

const brief = (text: string, env: Record<string, string> = {}): string[] =>
  inspectConfig(text, env).map(
    ({ severity, path, line, column }) => `${severity} ${path ?? "-"} ${line}:${column}`,
  );

test.each(["", "// nothing", "{}", "{ gateway: { port: 1 }, models: {} }"])("%j is fine", (text) => {
  expect(inspectConfig(text, {})).toEqual([]);
});

test("every problem is found, with its place, in the order of the text", () => {
  const text = `{
  agents: { defaults: { model: { fallbacks: [1] } } },
\tmodels: {
    bedrockDiscovery: { enabled: "yes", region: 'nowhere',
      providerFilter: {
        a: 1,
      },
    },
  },
}`;
  expect(brief(text)).toEqual([
    "problem agents.defaults.model.primary 2:25",
    "problem agents.defaults.model.fallbacks[0] 2:46",
    "problem models.bedrockDiscovery.enabled 4:34",
    "problem models.bedrockDiscovery.region 4:49",
    "problem models.bedrockDiscovery.providerFilter 5:7",
  ]);
});

describe("the frame", () => {
  const frame = (text: string): readonly string[] => inspectConfig(text, {})[0]!.frame;

  test("has carets under the value", () => {
    expect(frame('{\n  models: { bedrockDiscovery: { enabled: "yes" } },\n}')).toEqual([
      '2 |   models: { bedrockDiscovery: { enabled: "yes" } },',
      "  |                                          ^^^^^",
    ]);
  });

  test("keeps tabs, and counts wide characters as two columns", () => {
    expect(frame('{\n\t"\u6A21": 1, models: 5 }')).toEqual([
      '2 | \t"\u6A21": 1, models: 5 }',
      "  | \t                 ^",
    ]);
  });

  test("shows no secret, neither beside the problem nor in it", () => {
    const text = `{ models: { providers: { p: { apiKey: "sk-very-secret", headers: { A: 'h-secret' }, api: "x" } } } }`;
    const [source, caret] = frame(text);
    expect(source).toBe(
      `1 | { models: { providers: { p: { apiKey: "****", headers: { A: '****' }, api: "x" } } } }`,
    );
    expect(caret!.indexOf("^^^")).toBe(source!.indexOf('"x"'));
    expect(
      JSON.stringify(inspectConfig("{ models: { providers: { p: { apiKey: 123456 } } } }", {})),
    ).not.toContain("123456");
    expect(
      JSON.stringify(inspectConfig("{ models: { providers: { p: { apiKey: 'sk-1234\n' } } } }", {})),
    ).not.toContain("sk-1234");
  });

  test("of a long line is cut around the place", () => {
    const [source, caret] = frame(`{ a: "${"x".repeat(500)}", models: 5, b: "${"y".repeat(500)}" }`);
    expect(source!.length).toBeLessThan(120);
    expect(source![caret!.indexOf("^")]).toBe("5");
  });
});

describe("what cannot be parsed", () => {
  test.each([
    ["{ a: 1\n  b: 2 }", 2, 3],
    ["{\r\n  a: @\r\n}", 2, 6],
    ["\uFEFF{ @ }", 1, 3],
    ["{ a: 'x", 1, 8],
  ])("%j is one problem at %i:%i", (text, line, column) => {
    expect(inspectConfig(text, {})).toEqual([expect.objectContaining({ severity: "problem", line, column })]);
  });
});

describe("warnings", () => {
  test("for a key that looks like a slip, with the right one", () => {
    expect(
      inspectConfig("{ models: { bedrockDiscovery: { regoin: 'x' } }, gateway: {}, agnets: {} }", {}),
    ).toEqual([
      expect.objectContaining({
        severity: "warning",
        path: "models.bedrockDiscovery.regoin",
        message: expect.stringContaining("did you mean models.bedrockDiscovery.region?"),
        column: 33,
      }),
      expect.objectContaining({ severity: "warning", path: "agnets" }),
    ]);
  });

  test("for a key that stands twice", () => {
    expect(brief("{ models: {}, models: {} }")).toEqual(["warning models 1:15"]);
  });

  test("for a variable that is not set", () => {
    const text = '{ models: { bedrockDiscovery: { region: "${R}" } } }';
    expect(inspectConfig(text, {})).toEqual([
      expect.objectContaining({
        severity: "warning",
        message: expect.stringContaining("environment variable R"),
      }),
    ]);
    expect(inspectConfig(text, { R: "eu-west-1" })).toEqual([]);
    expect(brief(text, { R: "nowhere" })).toEqual(["problem models.bedrockDiscovery.region 1:41"]);
  });
});
