import { describe, expect, it } from "vitest";
import { fillTemplate, findTemplate, parametersOfTemplate } from "../../src/chat/template.ts";

describe("a template", () => {
  it.each([
    ["$input", [], "in", "in"],
    ["Say: $input.", [], "in", "Say: in."],
    ["$a and ${b}", ["a=1", "b=2=3"], "", "1 and 2=3"],
    ["$a", ["a=1"], "in", "1\n\nin"],
    ["costs $$5 or $5, $", [], "", "costs $5 or $5, $"],
    ["$$input", [], "in", "$input\n\nin"],
    ["$ümlaut, ${日本}", ["ümlaut=x", "日本=y"], "", "x, y"],
    // A value is a text, not a template.
    ["$a", ["a=$input"], "", "$input"],
    ["$a", ["a="], "", ""],
    ["$lang", [], "", "English"],
    ["$lang", ["lang=de"], "", "de"],
  ])("makes of %j with %j and %j the question %j", (prompt, given, input, question) => {
    const template = { prompt, defaults: { lang: "English" } };
    expect(fillTemplate("t", template, given).ask(input)).toBe(question);
  });

  it("without a prompt asks what is typed, and has a system prompt", () => {
    const filled = fillTemplate("t", { system: "Answer in $lang." }, ["lang=de"]);
    expect(filled.ask("in")).toBe("in");
    expect(filled.system("in")).toBe("Answer in de.");
    expect(filled.isQuestion).toBe(false);
  });

  it.each([
    [["$a $b $a"], [], "needs a value for a and b.", "-p a=VALUE -p b=VALUE"],
    [["$a $b"], ["a=x y"], "needs a value for b.", "openclaw chat -t t -p 'a=x y' -p b=VALUE"],
    [["$a"], ["b=1"], "has no parameter 'b'.", "It has: a"],
    [["$lang"], ["lnag=1"], "has no parameter 'lnag'.", "Did you mean lang?"],
    [["x"], ["lang=1"], "has no parameter 'lang'.", "It has none"],
    [["$a"], ["a"], "--param 'a' is not NAME=VALUE.", "--param lang=de"],
    [["$a"], ["=1"], "--param '=1' is not NAME=VALUE.", "--param lang=de"],
    [["$a"], ["a=1", "a=2"], "--param a is given twice.", "Leave one"],
    [["$a"], ["input=1"], "--param input is the prompt itself.", "Type it"],
  ])("refuses %j with %j by name", ([prompt = ""], given, message, hint) => {
    const refused = (): unknown => fillTemplate("t", { prompt }, given);
    expect(refused).toThrow(message);
    try {
      refused();
    } catch (error) {
      expect((error as { hint: string }).hint).toContain(hint);
    }
  });

  it("names its tools and servers, and is no question for them", () => {
    const filled = fillTemplate("t", { tools: ["shell", "read-file:src"], mcpServers: ["files"] });
    expect(filled).toMatchObject({
      tools: ["shell", "read-file:src"],
      mcpServers: ["files"],
      isQuestion: false,
    });
    expect(fillTemplate("t", { prompt: "x" })).toMatchObject({ tools: [], mcpServers: [] });
  });

  it("refuses to ask without the text that it is about", () => {
    expect(() => fillTemplate("t", { prompt: "Sum up: $input" }).ask("")).toThrow("takes a text for $input");
  });

  it("is found by its name, and by no name of JavaScript's", () => {
    const config = { templates: { review: { prompt: "x" } } };
    expect(findTemplate("review", config)).toEqual({ prompt: "x" });
    expect(() => findTemplate("constructor", config)).toThrow("There is no template 'constructor'.");
    expect(() => findTemplate("reveiw", config)).toThrow("There is no template 'reveiw'.");
  });

  it("names its parameters once each, without the input", () => {
    expect(parametersOfTemplate({ prompt: "$b $a $input $$c ${a}", system: "$d" })).toEqual(["b", "a", "d"]);
  });
});
