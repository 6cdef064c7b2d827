import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../helpers/documents.ts";
import { createHome, emptyEnvironment } from "../helpers/openclaw.ts";

const { packages: lock } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
  packages: Record<string, { version: string }>;
};

interface Advisory {
  id: number;
  title: string;
  severity: string;
  url: string;
  vulnerable_versions: string;
}

const advisory = (title: string, vulnerable_versions: string): Advisory => ({
  id: 1,
  title,
  severity: "high",
  url: `https://github.com/advisories/${title}`,
  vulnerable_versions,
});

/** A registry that knows these advisories, and of each package the versions that are installed. */
async function registry(advisories: Record<string, Advisory[]>, status = 200) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const answer = (body: unknown, code = 200): void => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      if (request.method === "POST") {
        const sent = Buffer.concat(pieces);
        const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
        const names = Object.keys(JSON.parse(text.toString("utf8")) as object);
        asked.push(...names);
        return answer(status === 200 ? advisories : {}, status);
      }
      const name = decodeURIComponent((request.url ?? "").slice(1));
      const versions = Object.entries(lock)
        .filter(([folder]) => folder.endsWith(`node_modules/${name}`))
        .map(([, { version }]) => [version, { name, version }] as const);
      answer({ name, "dist-tags": { latest: versions[0]?.[0] }, versions: Object.fromEntries(versions) });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

async function audit(url: string, ...args: string[]) {
  const home = createHome();
  const env = emptyEnvironment(home, {
    PATH: process.env["PATH"],
    npm_execpath: process.env["npm_execpath"],
    npm_config_registry: url,
    npm_config_fetch_retries: "0",
  });
  const child = spawn(process.execPath, [path.join(root, "scripts", "audit.js"), ...args], {
    cwd: root,
    env,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

test(
  "tells of what is known against a package in the bundle, and of no other",
  { timeout: 60_000 },
  async () => {
    const { url, asked } = await registry({
      ajv: [advisory("GHSA-bundled", "<=99")],
      vitest: [advisory("GHSA-of-the-tests", "<=99")],
      json5: [advisory("GHSA-of-an-old-version", "<0.1")],
    });
    const { code, stdout, stderr } = await audit(url);
    expect(asked).toContain("hono");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const version = lock["node_modules/ajv"]?.version;
    expect(stdout).toMatch(
      /^high: pkg:npm\/ajv@\S+: GHSA-bundled \(<=99\)\n {2}https:\/\/github\.com\/advisories\/GHSA-bundled\n\d+ packages are in the bundle; 1 advisory\.\n$/,
    );
    expect(stdout).toContain(`ajv@${version}`);
  },
);

test("is content where nothing is known against the bundle", { timeout: 60_000 }, async () => {
  const { url } = await registry({ vitest: [advisory("GHSA-of-the-tests", "<=99")] });
  const { code, stdout } = await audit(url, "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ packages: expect.any(Number), findings: [] });
});

test(
  "never takes a registry that does not answer for one that knows nothing",
  { timeout: 60_000 },
  async () => {
    const { url } = await registry({}, 503);
    const { code, stdout, stderr } = await audit(url);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^The registry could not be asked: .*503/m);
  },
);
