import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const NOVA = "us.amazon.nova-2-lite-v1:0";

async function withFiles(): Promise<Emulated> {
  const emulated = await emulate();
  writeFileSync(path.join(emulated.home, "sky.md"), "The sky is blue.");
  writeFileSync(path.join(emulated.home, "report.pdf"), "%PDF-1.7");
  writeFileSync(path.join(emulated.home, "a.csv"), "a,b\n");
  writeFileSync(path.join(emulated.home, "a.docx"), "PK\x03\x04…word/document.xml");
  return emulated;
}

function bodies({ emulator }: Emulated): Record<string, unknown>[] {
  return emulator.calls.flatMap(({ route, body }) => (route === "ConverseStream" ? [body as never] : []));
}

const pdf = {
  document: {
    format: "pdf",
    name: "report (pdf)",
    source: { bytes: Buffer.from("%PDF-1.7").toString("base64") },
    citations: { enabled: true },
  },
};
const text = {
  document: {
    format: "txt",
    name: "sky (md)",
    source: { text: "The sky is blue." },
    citations: { enabled: true },
  },
};
const CITE = ["chat", "-m", CLAUDE, "--citations", "-f", "sky.md", "-f", "report.pdf"];

describe("--citations", () => {
  it("asks to cite PDF and texts, and tells the places below the answer, which stays as it is", async () => {
    const emulated = await withFiles();
    const { code, stdout, stderr } = await emulated.run([...CITE, "Why?"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout:
        "This is a simulated answer from the openclaw emulator (model Claude Sonnet 4.6). You asked: Why?\nYou attached 2 documents.\n",
      stderr: "[1] sky (md), characters 0–9\n[2] report (pdf), page 1\n",
    });
    expect(bodies(emulated)).toEqual([
      { messages: [{ role: "user", content: [text, pdf, { text: "Why?" }] }] },
    ]);
  });

  it("has them in --json, with where in the text they belong, and in --ndjson behind the words", async () => {
    const emulated = await withFiles();
    const json = JSON.parse((await emulated.run([...CITE, "--json", "Why?"])).stdout);
    expectSchema("chat", json);
    const quote = "Simulated words of the document.";
    const textEnd = json.text.length;
    expect(json.citations).toEqual([
      { title: "sky (md)", document: 0, characters: { start: 0, end: 10 }, quote, textEnd },
      { title: "report (pdf)", document: 1, pages: { start: 1, end: 2 }, quote, textEnd },
    ]);
    const { stdout } = await emulated.run([...CITE, "--ndjson", "Why?"]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of events) expectSchema("chat-event", event);
    expect(events.slice(-4)).toMatchObject([
      { type: "citation", title: "sky (md)" },
      { type: "citation", title: "report (pdf)" },
      { type: "stop" },
      { type: "usage" },
    ]);
  });

  it("marks the places in the text on a terminal, but not with --raw", async () => {
    const emulated = await withFiles();
    const shown = openPty([...CITE, "Why?"], emulated.home, { env: emulated.env });
    expect(await shown.exit).toBe(0);
    const screen = shown.lines().join("\n");
    expect(screen).toContain("You attached 2 documents.[1][2]");
    expect(screen).toContain("[1] sky (md), characters 0–9");
    const raw = openPty([...CITE, "--raw", "Why?"], emulated.home, { env: emulated.env });
    expect(await raw.exit).toBe(0);
    expect(raw.lines().join("\n")).not.toContain("[1][2]");
    expect(raw.lines().join("\n")).toContain("[2] report (pdf), page 1");
  });

  it("holds in a session: documents of earlier turns are cited, too, and answers go back as words", async () => {
    const emulated = await withFiles();
    const before = await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "-f", "a.csv", "What?"]);
    expect(before.code).toBe(0);
    const [, ...rest] = CITE;
    expect((await emulated.run(["chat", "--session", "s", ...rest, "Why?"])).code).toBe(0);
    const and = await emulated.run(["chat", "--session", "s", "--citations", "And?"]);
    expect(and).toMatchObject({ code: 0, stderr: "" });
    const csv = {
      document: {
        format: "txt",
        name: "a (csv)",
        source: { text: "a,b\n" },
        citations: { enabled: true },
      },
    };
    const last = bodies(emulated).at(-1)?.["messages"] as { content: { text?: string }[] }[];
    expect(last.map(({ content }) => content)).toMatchObject([
      [csv, { text: "What?" }],
      [{ text: expect.stringContaining("You asked: What?") }],
      [text, pdf, { text: "Why?" }],
      [{ text: expect.stringContaining("You asked: Why?") }],
      [{ text: "And?" }],
    ]);
    // To a model that cites nothing the documents go without.
    expect((await emulated.run(["chat", "--session", "s", "-m", "amazon.nova-lite-v1:0", "So?"])).code).toBe(
      0,
    );
    expect(JSON.stringify(bodies(emulated).at(-1))).not.toContain("citations");
    const kept = JSON.parse((await emulated.run(["sessions", "show", "s", "--json"])).stdout);
    expect(kept.turns[1].assistant.content[0].citationsContent.citations).toHaveLength(2);
    const sources = ["[1] sky (md), characters 0–9", "[2] report (pdf), page 1"];
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toContain(`\n${sources.join("\n")}\n`);
    expect((await emulated.run(["sessions", "export", "s"])).stdout).toContain(
      `\n\n${sources.join("  \n")}\n\n`,
    );
  });

  it("says where nothing is attached that can be cited", async () => {
    const emulated = await withFiles();
    const { code, stderr } = await emulated.run(["chat", "-m", CLAUDE, "--citations", "Why?"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "openclaw: Nothing is attached that can be cited, so the answer names no sources\n",
    });
  });

  it.each<[string, string[], number, string, string]>([
    [
      "a model that does not cite, with those that do",
      ["-m", "amazon.nova-lite-v1:0", "-f", "sky.md"],
      6,
      "'amazon.nova-lite-v1:0' names no sources in documents.",
      "anthropic.claude-",
    ],
    [
      "a document that cannot be cited",
      ["-m", CLAUDE, "-f", "a.docx"],
      6,
      "'a.docx' is a docx document, and only a PDF or a text that is attached can be cited.",
      "leave --citations out",
    ],
    ["a schema", ["-m", CLAUDE, "--schema", "{}"], 2, "--citations and --schema exclude each other", "Leave"],
  ])("is refused before any call: %s", async (_, args, exitCode, message, hint) => {
    const emulated = await withFiles();
    const { code, stderr } = await emulated.run(["chat", "--citations", ...args, "Why?"]);
    expect(code).toBe(exitCode);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(emulated.emulator.calls).toEqual([]);
  });
});

describe("--web", () => {
  it("gives Nova its tool that searches, and tells the pages below the answer", async () => {
    const emulated = await emulate();
    const asked = await emulated.run(["chat", "-m", NOVA, "--web", "--session", "s", "News?"]);
    expect(asked).toMatchObject({
      code: 0,
      stdout: "This is a simulated answer from the openclaw emulator (model Nova 2 Lite). You asked: News?\n",
      stderr:
        "openclaw: session s is new\n[1] A simulated page, 1, https://simulated.example/1\n[2] A simulated page, 2, https://simulated.example/2\n",
    });
    const json = await emulated.run(["chat", "-m", NOVA, "--web", "--json", "News?"]);
    expect(JSON.parse(json.stdout).citations).toMatchObject([
      { url: "https://simulated.example/1" },
      { url: "https://simulated.example/2" },
    ]);
    // What was searched for is kept, and goes back as nothing.
    expect((await emulated.run(["chat", "--session", "s", "More?"])).code).toBe(0);
    const [first, , next] = bodies(emulated);
    expect(first).toEqual({
      messages: [{ role: "user", content: [{ text: "News?" }] }],
      toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] },
    });
    expect(next).toMatchObject({
      messages: [{}, { role: "assistant", content: [{ text: expect.any(String) }] }, {}],
    });
    expect(JSON.stringify(next)).not.toContain("nova_grounding");
    // Nor is it anything that was said.
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toMatch(
      /^> News\?\n\nThis is .*\n\[1\] A simulated page, 1, https:\/\/simulated\.example\/1\n/,
    );
    const kept = JSON.parse((await emulated.run(["sessions", "show", "s", "--json"])).stdout);
    expect(kept.turns[0].assistant.content).toMatchObject([
      { toolUse: { name: "nova_grounding", type: "server_tool_use", input: { query: "News?" } } },
      { text: expect.any(String) },
      { citationsContent: { citations: [{}, {}] } },
    ]);
  });

  it.each<[string, string[], number, string, string]>([
    [
      "a model that does not search, with those that do",
      ["-m", CLAUDE],
      6,
      `'${CLAUDE}' does not search the web.`,
      "us.amazon.nova-2-lite-v1:0",
    ],
    [
      "a profile of another geography",
      ["-m", "eu.amazon.nova-2-lite-v1:0", "--region", "eu-west-1"],
      6,
      "'eu.amazon.nova-2-lite-v1:0' does not search the web: that is done through profiles of 'us' only.",
      "--region us-east-1 -m us.amazon.nova-2-lite-v1:0",
    ],
    ["a schema", ["-m", NOVA, "--schema", "{}"], 2, "--web and --schema exclude each other", "Leave"],
  ])("is refused before any call: %s", async (_, args, exitCode, message, hint) => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["chat", "--web", ...args, "News?"]);
    expect(code).toBe(exitCode);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(emulated.emulator.calls).toEqual([]);
  });

  it.each([
    [["--usage"], "(catalog price, estimate) without the web search · "],
    [["--dry-run"], "(catalog price, estimate) plus the web search and the answer\n"],
    [
      ["--max-cost", "1"],
      "openclaw: what the web search costs is not known, and --max-cost does not bound it\n",
    ],
  ])("says what costs extra with %j", async (args, words) => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["chat", "-m", NOVA, "--web", ...args, "News?"]);
    expect(code).toBe(0);
    expect(stderr).toContain(words);
  });

  it("is in the policy of iam policy --for web", async () => {
    const emulated = await emulate();
    emulated.configure(JSON.stringify({ agents: { defaults: { model: `amazon-bedrock/${NOVA}` } } }));
    const { stdout } = await emulated.run(["iam", "policy", "--for", "web"]);
    const statements: { Sid: string }[] = JSON.parse(stdout).Statement;
    expect(statements).toContainEqual({
      Sid: "SearchWeb",
      Effect: "Allow",
      Action: ["bedrock:InvokeTool"],
      Resource: ["arn:aws:bedrock::123456789012:system-tool/amazon.nova_grounding"],
    });
    expect(statements.map(({ Sid }) => Sid)).toContain("CallModels");
    expect((await emulated.run(["iam", "policy"])).stdout).not.toContain("InvokeTool");
  });
});
