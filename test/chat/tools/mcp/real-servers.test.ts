import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { McpServerSetting } from "../../../../src/config/settings.ts";
import { type McpServer, openServer } from "../../../../src/chat/tools/mcp/open-server.ts";
import type { ToolResult } from "../../../../src/chat/tools/tool.ts";
import { configured } from "../../../helpers/mcp-server.ts";
import { createHome } from "../../../helpers/openclaw.ts";
import { freePort } from "../../../helpers/free-port.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

const require = createRequire(import.meta.url);
const EVERYTHING = require.resolve("@modelcontextprotocol/server-everything/dist/index.js");
const FILESYSTEM = require.resolve("@modelcontextprotocol/server-filesystem/dist/index.js");
const env = { PATH: process.env["PATH"] ?? "" };
const signal = new AbortController().signal;

async function open(name: string, setting: McpServerSetting): Promise<McpServer> {
  const server = await openServer(name, configured(name, setting), testRuntime({ home: createHome(), env }));
  onTestFinished(() => server.close());
  return server;
}

const WAYS: Record<string, () => Promise<McpServerSetting>> = {
  "standard streams": async () => ({ command: process.execPath, args: [EVERYTHING, "stdio"] }),
  "streamable HTTP": async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [EVERYTHING, "streamableHttp"], {
      env: { ...env, PORT: String(port) },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    await vi.waitFor(() => expect(said).toContain("listening"), { timeout: 10_000 });
    return { url: `http://127.0.0.1:${port}/mcp` };
  },
};

/** A call of each tool, and what comes of it: as the page of the server has them. */
const CALLS: Record<string, { input: object; comes: (result: ToolResult) => void }> = {
  echo: { input: { message: "hi" }, comes: hasText(/^Echo: hi$/) },
  "get-sum": { input: { a: 1, b: 2 }, comes: hasText(/sum of 1 and 2 is 3/) },
  "get-annotated-message": {
    input: { messageType: "success", includeImage: true },
    comes: ({ content }) => expect(content.map((block) => Object.keys(block))).toEqual([["text"], ["image"]]),
  },
  "get-env": { input: {}, comes: hasText(/"PATH"/) },
  "get-resource-links": { input: { count: 2 }, comes: hasText(/demo:\/\/resource\/dynamic\/text\/2/) },
  "get-resource-reference": {
    input: { resourceType: "Blob", resourceId: 1 },
    comes: hasText(/<document name="demo:\/\/resource\/dynamic\/blob\/1">/),
  },
  "get-structured-content": { input: { location: "Chicago" }, comes: hasText(/"temperature"/) },
  "get-tiny-image": {
    input: {},
    comes: ({ content }) => expect(content[1]).toMatchObject({ image: { format: "png" } }),
  },
  "gzip-file-as-resource": {
    input: { name: "a.gz", data: "data:text/plain,hello", outputType: "resource" },
    comes: hasText(/a\.gz, application\/gzip of \d+ bytes, which cannot be shown/),
  },
  "simulate-research-query": { input: { topic: "tides" }, comes: () => undefined },
  "toggle-simulated-logging": { input: {}, comes: hasText(/logging/) },
  "toggle-subscriber-updates": { input: {}, comes: hasText(/updates/) },
  "trigger-long-running-operation": { input: { duration: 0.2, steps: 2 }, comes: hasText(/completed/) },
};

function hasText(pattern: RegExp): (result: ToolResult) => void {
  return ({ content }) =>
    expect(content.map(({ text, json }) => text ?? JSON.stringify(json)).join("\n")).toMatch(pattern);
}

describe.each(Object.keys(WAYS))("the server that has everything, over %s", (way) => {
  const openEverything = async (): Promise<McpServer> => open("every", await WAYS[way]!());

  test("runs each of its tools, and tells what is wrong with an input", async () => {
    const server = await openEverything();
    expect(server.instructions).toContain("Everything Server");
    const tools = await server.tools();
    const ownName = ({ source }: (typeof tools)[number]): string =>
      source.kind === "server" ? source.tool : "";
    expect(tools.length).toBeGreaterThan(10);
    expect(tools.map(ownName).filter((name) => CALLS[name] === undefined)).toEqual([]);
    for (const tool of tools) {
      expect(tool.name).toBe(`every__${ownName(tool)}`);
      const { input, comes } = CALLS[ownName(tool)]!;
      const result = await tool.run(input as Record<string, unknown>, signal);
      expect({ tool: tool.name, isError: result.isError, content: result.content }).toMatchObject({
        isError: false,
      });
      comes(result);
    }
    const sum = tools.find(({ name }) => name === "every__get-sum")!;
    expect(await sum.run({ a: "one" }, signal)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/invalid/i) as string }],
    });
  });

  test("fills in each of its prompts", async () => {
    const server = await openEverything();
    const prompts = await server.prompts();
    expect(prompts.length).toBeGreaterThan(3);
    const values: Record<string, string> = {
      resourceType: "Text",
      resourceId: "1",
      department: "Engineering",
    };
    for (const { name, arguments: wanted } of prompts) {
      const args = Object.fromEntries(
        wanted.map((argument) => [argument.name, values[argument.name] ?? "Berlin"]),
      );
      const messages = await server.getPrompt(name, args);
      expect(messages.every(({ content }) => content.length > 0)).toBe(true);
    }
    await expect(server.getPrompt("args-prompt", {})).rejects.toMatchObject({ code: "bad-response" });
  });

  test("has resources, and templates of them, that can be read", async () => {
    const server = await openEverything();
    const resources = await server.resources();
    expect(resources.some(({ uriTemplate }) => uriTemplate !== undefined)).toBe(true);
    const addresses = resources.flatMap(({ uri }) => uri ?? []);
    expect(addresses.length).toBeGreaterThan(3);
    for (const uri of [...addresses, "demo://resource/dynamic/blob/1", "demo://resource/dynamic/text/2"])
      expect(await server.readResource(uri)).toEqual([
        { text: expect.stringContaining(`<document name="${uri}">`) as string },
      ]);
    await expect(server.readResource("demo://no/such")).rejects.toMatchObject({ code: "bad-response" });
  });
});

test("the server of files reads, writes and lists in its folder, and not beside it", async () => {
  const folder = createHome();
  writeFileSync(path.join(folder, "a.txt"), "first\nsecond\n");
  const server = await open("files", { command: process.execPath, args: [FILESYSTEM, folder] });
  const tools = new Map((await server.tools()).map((tool) => [tool.name, tool]));
  const call = async (name: string, input: Record<string, unknown>): Promise<ToolResult> =>
    tools.get(`files__${name}`)!.run(input, signal);
  expect(await call("read_text_file", { path: path.join(folder, "a.txt"), head: 1 })).toMatchObject({
    isError: false,
    content: [{ text: "first" }],
  });
  await call("write_file", { path: path.join(folder, "b.txt"), content: "Grüße" });
  expect(readFileSync(path.join(folder, "b.txt"), "utf8")).toBe("Grüße");
  expect(await call("list_directory", { path: folder })).toMatchObject({
    content: [{ text: "[FILE] a.txt\n[FILE] b.txt" }],
  });
  expect(await call("read_text_file", { path: "/etc/passwd" })).toMatchObject({ isError: true });
});
