import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { assert, integer, property, string } from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { commandTool } from "../../../src/chat/tools/command-tool.ts";
import type { Tool, ToolResult } from "../../../src/chat/tools/tool.ts";
import { boundText, imageResult, MOST_TEXT_BYTES } from "../../../src/chat/tools/tool-result.ts";
import type { CommandToolSetting } from "../../../src/config/settings.ts";
import { isRunning } from "../../helpers/is-running.ts";
import { createHome, start, writeConfig } from "../../helpers/openclaw.ts";
import { PIXEL } from "../../helpers/pixel.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

const PATH = process.env["PATH"] ?? "";

function tool(setting: Partial<CommandToolSetting>, env: Record<string, string> = {}): Tool {
  const runtime = testRuntime({ home: createHome(), env: { PATH, ...env } });
  return commandTool(
    "t",
    { description: "d", command: ["cat"], input: { type: "object" }, ...setting },
    runtime,
  );
}

const run = (
  setting: Partial<CommandToolSetting>,
  input: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<ToolResult> => tool(setting, env).run(input, new AbortController().signal);

const sh = (script: string): Promise<ToolResult> => run({ command: ["sh", "-c", script] });

const textOf = ({ content }: ToolResult): string => content.map(({ text }) => text ?? "?").join("|");

describe("a command as a tool", () => {
  test("is what the settings say of it, its command as it is written there", () => {
    const input = { type: "object", properties: { a: { type: "string" } } } as const;
    expect(tool({ command: ["cat", "${SECRET}"], input, allow: "never" }, { SECRET: "s" })).toMatchObject({
      name: "t",
      source: { kind: "command", command: ["cat", "${SECRET}"] },
      description: "d",
      inputSchema: input,
      allow: "never",
    });
    expect(tool({ input: {} })).toMatchObject({ inputSchema: { type: "object" }, allow: "ask" });
  });

  test("that takes a value that is not there is refused before it runs", () => {
    expect(() => tool({ env: { TOKEN: "${NOPE}" } })).toThrow(
      expect.objectContaining({
        code: "config-invalid",
        message: expect.stringContaining("tools.t.env.TOKEN"),
      }),
    );
  });

  test("gets its input as a line of JSON", async () => {
    expect(await run({}, { a: "ä\n\"'", n: [1, null] })).toEqual({
      content: [{ text: String.raw`{"a":"ä\n\"'","n":[1,null]}` }],
      isError: false,
    });
  });

  test("has no secrets but those that it is given", async () => {
    const env = { AWS_SECRET_ACCESS_KEY: "no", OPENCLAW_SERVE_API_KEY: "no", DEPLOY: "yes" };
    const result = await run({ command: ["env"], env: { TOKEN: "${DEPLOY}" } }, {}, env);
    expect(textOf(result)).toContain("TOKEN=yes");
    expect(textOf(result)).not.toMatch(/AWS|OPENCLAW/);
  });

  test.each<[string, string, boolean]>([
    ["echo hi; echo warning >&2", "hi", false],
    ["printf 'a\\r\\nb\\r\\n\\n'", "a\nb", false],
    ["printf '  a\\n'", "  a", false],
    ["true", "(nothing)", false],
    ["echo; echo", "(nothing)", false],
    ["printf '\\357\\273\\277hi'", "hi", false],
    ["printf '\\377\\376h\\000i\\000'", "hi", false],
    ["printf 'caf\\351 au lait'", "caf\uFFFD au lait", false],
    ["echo 'file is \\377\\376 odd' | tr x x; printf 'ok \\377 ok'", "odd", false],
    ["echo out; echo bad >&2; exit 3", "sh ended with exit code 3.\n\nstderr:\nbad\n\nstdout:\nout", true],
    ["exit 1", "sh ended with exit code 1.", true],
    ["kill -TERM $$", "sh was ended by SIGTERM.", true],
    ["printf 'a\\000b'", "It wrote 3 bytes that are no text: binary data: it has zero bytes.", true],
    ["printf '%%PDF-1.4 \\000\\001'", "that are no text: a PDF document.", true],
    ["printf '\\037\\213\\010\\000\\000'", "that are no text: a gzip archive.", true],
    ["printf 'a\\000b'; exit 2", "stdout:\n(3 bytes that are no text: binary data: it has zero bytes)", true],
    ["head -c 5000000 /dev/urandom", "that are no text: binary data", true],
  ])("makes of %j %j", async (script, text, isError) => {
    const result = await sh(script);
    expect(textOf(result)).toContain(text);
    expect(result.isError).toBe(isError);
  });

  test("is ended when its time is over, with what it wrote so far", async () => {
    const result = await run({ command: ["sh", "-c", "echo half; sleep 300"], timeoutSeconds: 0.3 });
    expect(result).toEqual({
      content: [{ text: "sh was ended: it was not done within 0.3 s.\n\nstdout:\nhalf" }],
      isError: true,
    });
  });

  test("that is not there is an error result", async () => {
    expect(await run({ command: ["./no-such"] })).toEqual({
      content: [{ text: "./no-such does not exist." }],
      isError: true,
    });
  });

  test("gives an image as such", async () => {
    const folder = createHome();
    const file = path.join(folder, "a.dat");
    writeFileSync(file, PIXEL);
    expect(await run({ command: ["cat", file] })).toEqual({
      content: [{ image: { format: "png", source: { bytes: PIXEL } } }],
      isError: false,
    });
    writeFileSync(file, Buffer.concat([PIXEL, Buffer.alloc(5_000_000)]));
    expect(textOf(await run({ command: ["cat", file] }))).toBe(
      "The image has 5.0 MB, and a model takes 3.9 MB.",
    );
  });

  test.each([
    ["lines", "seq 1 200000"],
    ["one line", "head -c 6000000 /dev/zero | tr '\\0' x"],
    ["characters of several bytes", "yes äöü€😀 | head -n 650000"],
  ])("keeps beginning and end of very many %s", async (_, script) => {
    const result = await sh(`echo first; ${script}; echo; echo last`);
    const text = textOf(result);
    expect(result.isError).toBe(false);
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_TEXT_BYTES + 100);
    expect(text).toMatch(/^first\n[^]*\[… [\d,]+ bytes are left out here …\][^]*\nlast$/);
    expect(text).not.toContain("\uFFFD");
  });

  test("that fails keeps beginning and end of both outputs", async () => {
    const text = textOf(await sh("seq 1 100000; seq 1 100000 >&2; exit 1"));
    expect(text.match(/bytes are left out here/g)).toHaveLength(2);
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_TEXT_BYTES + 500);
  });
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends the program at once, with a command that does not listen and all that it has started",
  async (signal) => {
    const home = createHome();
    const script = "trap '' TERM INT HUP; sleep 300 & echo $! >ids; echo $$ >>ids; : >ready; wait; sleep 300";
    const slow = { description: "d", command: ["sh", "-c", script], input: { type: "object" } };
    writeConfig(home, JSON.stringify({ tools: { slow } }));
    const child = start(["tools", "run", "slow", "{}"], home);
    await vi.waitFor(() => expect(existsSync(path.join(home, "ready"))).toBe(true), { timeout: 10_000 });
    const ids = readFileSync(path.join(home, "ids"), "utf8").trim().split("\n").map(Number);
    const ended = once(child, "exit");
    const stoppedAt = performance.now();
    child.kill(signal);
    expect(await ended).toEqual([{ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal], null]);
    expect(performance.now() - stoppedAt).toBeLessThan(2000);
    await vi.waitFor(() => expect(ids.filter(isRunning)).toEqual([]));
  },
);

describe("the bound of a text", () => {
  test("leaves a shorter one as it is, and of a longer one whole characters of both ends", () => {
    assert(
      property(string({ unit: "binary", maxLength: 400 }), integer({ min: 20, max: 300 }), (text, most) => {
        const bound = boundText(text, most);
        const size = Buffer.byteLength(text);
        if (size <= most) return bound === text;
        const [beginning = "", count, end = ""] = bound.split(
          /\n\n\[… ([\d,]+) bytes are left out here …\]\n\n/,
        );
        const kept = Buffer.byteLength(beginning) + Buffer.byteLength(end);
        return (
          text.startsWith(beginning) &&
          text.endsWith(end) &&
          kept <= most &&
          kept > most - 10 &&
          Number(count?.replaceAll(",", "")) <= size - kept
        );
      }),
    );
  });

  test("takes no long time", () => {
    const started = performance.now();
    boundText("ä".repeat(10_000_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test("bytes that are no image are none", () => {
  expect(imageResult(Buffer.from("PNG"))).toBeUndefined();
  expect(imageResult(Buffer.alloc(0))).toBeUndefined();
});
