import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type ClientRequest, createServer, request } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { errorCode } from "../../src/errors.ts";
import { fencedBlocks, root } from "../helpers/documents.ts";
import { emulate } from "../helpers/emulated.ts";
import { MODEL, serveEmulated, serve, type Served } from "../helpers/served.ts";

const page = readFileSync(path.join(root, "docs", "serve.md"), "utf8");
const run = promisify(execFile);

function blockOf(language: string): string {
  const [block, ...others] = fencedBlocks(page, language);
  if (block === undefined || others.length > 0) throw new Error(`There is not one block of ${language}.`);
  return block;
}

/** The words of an instruction of a container file that is written as a list. */
function listOf(name: string): string[] {
  const [, list = "[]"] = new RegExp(`^${name} (?:CMD )?(\\[.*\\])$`, "m").exec(blockOf("dockerfile")) ?? [];
  return JSON.parse(list) as string[];
}

describe("the page on serve", () => {
  it("has a unit that systemd takes, and that starts what there is", async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "openclaw-unit-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const unit = path.join(folder, "openclaw-serve.service");
    const program = path.join(root, "bin", "openclaw.js");
    writeFileSync(unit, blockOf("ini").replace("/usr/local/bin/openclaw", program));
    const verified = await run("systemd-analyze", ["verify", "--man=no", unit], {
      env: { ...process.env, SYSTEMD_LOG_LEVEL: "warning" },
    }).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return context.skip("There is no systemd-analyze.");
      throw error;
    });
    expect(verified.stderr.split("\n").filter((line) => line.includes("openclaw-serve"))).toEqual([]);
  });

  it("has a container whose entry point serves with a key alone, and whose check tells whether it lives", async () => {
    const entry = listOf("ENTRYPOINT");
    expect(entry.slice(0, 2)).toEqual(["openclaw", "serve"]);
    const emulated = await emulate();
    const bare = await emulated.run(entry.slice(1));
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining("no API key protects it")]);
    const served = await serveEmulated(emulated, {
      args: entry.slice(2),
      env: { OPENCLAW_SERVE_API_KEY: "key-of-the-container" },
    });
    const { port } = new URL(served.origin);
    const [, ...check] = listOf("HEALTHCHECK").map((word) => word.replace("8080", port));
    const healthy = async (): Promise<number | null> => {
      const [code] = (await once(spawn(process.execPath, check), "close")) as [number | null];
      return code;
    };
    expect(await healthy()).toBe(0);
    expect(await served.end()).toBe(143);
    expect(await healthy()).toBe(1);
    expect(blockOf("dockerfile")).toContain("STOPSIGNAL SIGTERM");
  });

  it("says how clients of bedrock-access-gateway change, who otherwise are told", async () => {
    const { client, origin, run } = await serve({
      args: ["--map", "gpt-4o=us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    });
    const before = await fetch(`${origin}/api/v1/chat/completions`, { method: "POST", body: "{}" });
    expect(before.status).toBe(404);
    expect(await before.text()).toContain("Did you mean /v1/chat/completions?");
    const messages = [{ role: "user" as const, content: "x" }];
    for (const model of ["gpt-4o", "us.amazon.nova-lite-v1:0", MODEL])
      expect((await client.chat.completions.create({ model, messages })).choices).toHaveLength(1);
    for (const [, words = ""] of page.matchAll(/`openclaw (config set [^`]*)`/g))
      expect((await run(words.split(" "))).code).toBe(0);
  });

  it("restarts one server after the other behind a balancer, and no request is lost", async () => {
    const emulated = await emulate();
    // In processes of their own: in one the restarts are over before anybody has asked twice.
    const start = (): Promise<Served> => serveEmulated(emulated, { isAlone: true });
    let servers: Served[] = await Promise.all([start(), start()]);
    const balancer = await balance(() => servers.map(({ origin }) => origin));
    const over = new AbortController();
    const statuses: (number | string)[] = [];
    const ask = async (): Promise<void> => {
      const body = JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content: "x" }] });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${balancer.url}/v1/chat/completions`, { method: "POST", headers, body });
      const text = await response.text();
      statuses.push(text.endsWith("data: [DONE]\n\n") ? response.status : text);
    };
    const clients = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) await ask();
    });
    for (let restarts = 0; restarts < 2; restarts++) {
      const [old, other] = servers;
      if (!old || !other) throw new Error("There are two.");
      // Taken out first, and ended then; what runs on it ends whole.
      servers = [other];
      await balancer.begun(old.origin);
      const next = start();
      expect(await old.end()).toBe(143);
      servers = [other, await next];
    }
    over.abort();
    await Promise.all(clients);
    expect(statuses.length).toBeGreaterThan(clients.length);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

interface Balancer {
  url: string;
  /** Resolves when every request that was passed on to a server has begun to be answered. */
  begun(origin: string): Promise<void>;
}

/** A balancer that passes requests on to the servers in turn, over connections that it keeps. */
async function balance(origins: () => string[]): Promise<Balancer> {
  let nth = 0;
  const waiting = new Set<ClientRequest>();
  const server = createServer((asked, answer) => {
    const all = origins();
    const { method, headers, url } = asked;
    const target = new URL(url ?? "", all[nth++ % all.length]);
    const passed = request(target, { method, headers: { ...headers, host: target.host } }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    waiting.add(passed);
    for (const event of ["response", "error"]) passed.on(event, () => waiting.delete(passed));
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begun: async (origin) => {
      const { host } = new URL(origin);
      const passed = [...waiting].filter((request) => request.getHeader("host") === host);
      await Promise.all(passed.map((request) => once(request, "response")));
    },
  };
}
