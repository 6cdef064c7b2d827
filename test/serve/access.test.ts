import { chmodSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { networkInterfaces } from "node:os";
import path from "node:path";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { MODEL, serve, serveEmulated } from "../helpers/served.ts";

const KEY_A = "key-of-team-a-0123456789";
const KEY_B = "key-of-team-b-0123456789";
const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

/** Asks with headers that fetch does not let anybody set. */
async function statusWith(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("who may come in", () => {
  it("is told to AWS with each call by Converse, beside the client's own metadata", async () => {
    const { client, emulator } = await serve({ env: { OPENCLAW_SERVE_API_KEY: KEY_A } });
    const known = new OpenAI({ baseURL: client.baseURL, apiKey: KEY_A, maxRetries: 0 });
    await known.chat.completions.create({ ...ask, metadata: { run: "7", "openclaw-key": "somebody-else" } });
    await known.chat.completions.create(ask);
    const sent = emulator.calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body);
    expect(sent).toMatchObject([
      { requestMetadata: { run: "7", "openclaw-key": "env" } },
      { requestMetadata: { "openclaw-key": "env" } },
    ]);
  });

  it("needs one of the keys, and logs its name but never the key", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, `# teams\n\nteam-a: ${KEY_A}\n${KEY_B}\n`, { mode: 0o600 });
    const { client, origin, log, logged } = await serveEmulated(emulated, {
      args: ["--api-key-file", file],
      env: { OPENCLAW_SERVE_API_KEY: "key-of-the-environment" },
    });
    const as = (apiKey: string) => new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 });
    for (const [key, name] of [
      [KEY_A, "team-a"],
      [KEY_B, "line-4"],
      ["key-of-the-environment", "env"],
    ] as const) {
      await as(key).chat.completions.create(ask);
      await logged((line) => line.key === name && line.status === 200);
    }
    for (const wrong of ["none", `${KEY_A}x`, KEY_A.slice(0, -1)]) {
      await expect(as(wrong).models.list()).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    }
    await expect(client.models.list()).rejects.toMatchObject({ status: 401 });
    const bare = await fetch(`${origin}/v1/models`);
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    expect((await fetch(`${origin}/ready`)).status).toBe(200);
    expect(JSON.stringify(log)).not.toMatch(new RegExp(`${KEY_A}|${KEY_B}|key-of-the-environment`));
  });

  it("listens on an open address with a key, and for any host name", async () => {
    const { origin, logged } = await serve({
      args: ["--host", "0.0.0.0"],
      env: { OPENCLAW_SERVE_API_KEY: KEY_A },
    });
    await logged(({ message }) => message?.includes("travel unencrypted") === true);
    const url = origin.replace("0.0.0.0", "127.0.0.1");
    const headers = { host: "llm.example.com", authorization: `Bearer ${KEY_A}` };
    expect(await statusWith(`${url}/v1/models`, headers)).toBe(200);
    expect(await statusWith(`${url}/v1/models`, { host: "llm.example.com" })).toBe(401);
  });

  it("warns of a file of keys that others can read, and refuses one without a usable key", async () => {
    const { home, run } = await serve();
    const file = path.join(home, "keys");
    writeFileSync(file, "team-a:short\n");
    chmodSync(file, 0o644);
    const short = await run(["serve", "--port", "0", "--api-key-file", file]);
    expect(short.code).toBe(2);
    expect(short.stderr).toContain(`Others on this machine can read '${file}'.`);
    expect(short.stderr).toContain(`The key in line 1 of '${file}' cannot be used`);
    expect(short.stderr).not.toContain("short");
    // Its mode is everybody's, and to change it would break the machine.
    const device = await run(["serve", "--port", "0", "--api-key-file", "/dev/null"]);
    expect([device.code, device.stderr]).toEqual([2, expect.stringContaining("holds no key")]);
    expect(device.stderr).not.toContain("chmod");
    writeFileSync(file, "# nothing\n");
    expect((await run(["serve", "--port", "0", "--api-key-file", file])).stderr).toContain("holds no key");
  });

  it("never opens the door for a key that is set and blank, or no key at all", async () => {
    const { home, run } = await serve();
    const file = path.join(home, "keys");
    const write = (text: string): string[] => {
      writeFileSync(file, text, { mode: 0o600 });
      return ["--api-key-file", file];
    };
    const cases: [args: string[], key: string | undefined, message: string][] = [
      [[], "", "OPENCLAW_SERVE_API_KEY is set, and blank"],
      [[], " \t\n", "OPENCLAW_SERVE_API_KEY is set, and blank"],
      [["--emulator"], "", "OPENCLAW_SERVE_API_KEY is set, and blank"],
      [write(`a:${KEY_A}\n`), "", "OPENCLAW_SERVE_API_KEY is set, and blank"],
      [[], "short", "cannot be used"],
      [[], `${KEY_A}\n${KEY_B}`, "cannot be used"],
      [[], `${KEY_A} ${KEY_B}`, "cannot be used"],
      [["--api-key-file", ""], undefined, "cannot be empty"],
      [["--api-key-file", home], undefined, "cannot be read"],
    ];
    for (const [args, key, message] of cases) {
      // A process of its own: blank variables are read before the program is.
      const result = await run(["serve", "--port", "0", ...args], {
        isAlone: true,
        env: { OPENCLAW_SERVE_API_KEY: key },
      });
      expect({ args, key, code: result.code, stdout: result.stdout }).toEqual({
        args,
        key,
        code: 2,
        stdout: "",
      });
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toContain(KEY_A);
    }
    for (const [text, message] of [
      ["", "holds no key"],
      ["\n \n\t\n", "holds no key"],
      ["# none\n", "holds no key"],
      ["team-a:\n", "cannot be used"],
      [`:${KEY_A}\n`, "cannot be used"],
      [`a:${KEY_A}\na:${KEY_B}\n`, "Two API keys have the name 'a'."],
      [`a:${KEY_A}\nb:${KEY_A}\n`, "'a' and 'b' are names of one API key."],
    ] as const) {
      const result = await run(["serve", "--port", "0", ...write(text)]);
      expect({ text, code: result.code }).toEqual({ text, code: 2 });
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toContain(KEY_A);
    }
  });

  it("answers on loopback to this machine's own names only", async () => {
    const { origin } = await serve();
    const { port } = new URL(origin);
    const url = `${origin}/v1/models`;
    for (const host of [`localhost:${port}`, "LOCALHOST", `127.0.0.1:${port}`, "[::1]:80", "127.1.2.3"])
      expect([host, await statusWith(url, { host })]).toEqual([host, 200]);
    for (const host of ["evil.example", `localhost.evil.example:${port}`, "10.0.0.1", "127.0.0.1.nip.io"])
      expect([host, await statusWith(url, { host })]).toEqual([host, 403]);
  });

  it("listens on a loopback address in brackets without a key", async () => {
    const { run } = await serve();
    const hasAddress = Object.values(networkInterfaces()).some((each) =>
      each?.some(({ address }) => address === "::1"),
    );
    if (!hasAddress) {
      const { code, stderr } = await run(["serve", "--port", "0", "--host", "[::1]"]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("This machine has no address ::1.")]);
      return;
    }
    const { origin } = await serve({ args: ["--host", "[::1]"] });
    expect(origin).toContain("//[::1]:");
    expect((await fetch(`${origin}/health`)).status).toBe(200);
  });

  it("lets pages of named origins in, and no others", async () => {
    const preflight = async (origin: string, from: string): Promise<string | null> => {
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "OPTIONS",
        headers: {
          origin: from,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,x-stainless-lang",
        },
      });
      return response.headers.get("access-control-allow-origin");
    };
    const closed = await serve();
    expect(await preflight(closed.origin, "https://app.example")).toBeNull();
    const open = await serve({
      args: ["--cors", "https://app.example"],
      env: { OPENCLAW_SERVE_API_KEY: KEY_A },
    });
    expect(await preflight(open.origin, "https://app.example")).toBe("https://app.example");
    expect(await preflight(open.origin, "https://other.example")).toBeNull();
    const response = await fetch(`${open.origin}/v1/models`, {
      headers: { origin: "https://app.example", authorization: `Bearer ${KEY_A}` },
    });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    // Of each dialect: who is not let see `x-amzn-errortype` or `x-should-retry` takes every error for another one.
    expect(response.headers.get("access-control-expose-headers")).toBe("*");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    const refused = await fetch(`${open.origin}/v1/models`, { headers: { origin: "https://app.example" } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
      401,
      "https://app.example",
    ]);
  });

  it.each([
    ["https://app.example/", "https://app.example"],
    ["HTTPS://App.Example:443", "https://app.example"],
    ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
    ["app://obsidian.md", "app://obsidian.md"],
    ["null", "null"],
  ])("knows the origin %s as browsers send it", async (cors, from) => {
    const { origin } = await serve({ args: ["--cors", cors], env: { OPENCLAW_SERVE_API_KEY: KEY_A } });
    const { headers } = await fetch(`${origin}/v1/models`, { headers: { origin: from } });
    expect(headers.get("access-control-allow-origin")).toBe(from);
  });

  it.each(["app.example", "https://app.example/path", "https://", "https://a b", "https://me@app.example"])(
    "refuses %j, which is no origin",
    async (cors) => {
      const { run } = await serve();
      const { code, stderr } = await run(["serve", "--port", "0", "--cors", cors]);
      expect(code).toBe(2);
      expect(stderr).toContain(`--cors '${cors}' is not an origin.`);
    },
  );

  it("refuses an empty origin", async () => {
    const { run } = await serve();
    const { code, stderr } = await run(["serve", "--port", "0", "--cors", ""]);
    expect(code).toBe(2);
    expect(stderr).toContain("--cors cannot be empty.");
  });
});
