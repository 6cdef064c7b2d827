import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpenclawError } from "../../src/errors.ts";
import { findProxy } from "../../src/network/proxy-settings.ts";

type Env = Readonly<Record<string, string>>;

/** A proxy that notes what it is asked for, and reaches nothing. */
const asked: string[] = [];
const proxy = createServer((request, response) => {
  asked.push(request.url ?? "");
  response.writeHead(502).end();
});
proxy.on("connect", (request, socket: Socket) => {
  asked.push(request.url ?? "");
  socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
});

let address: string;
let hasCurl: boolean;
const run = promisify(execFile);

beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  hasCurl = await run("curl", ["--version"]).then(
    () => true,
    () => false,
  );
});
afterAll(() => void proxy.close());

/** Whether curl goes through the proxy. What it does not send there goes to a closed port of this machine. */
async function curlGoesThrough(url: string, env: Env): Promise<boolean> {
  asked.length = 0;
  const args = ["--silent", "--max-time", "5", "--connect-to", "::127.0.0.1:1", url];
  // It fails either way, and what the proxy saw tells them apart.
  await run("curl", args, { env: { PATH: process.env["PATH"], ...env } }).catch(() => undefined);
  return asked.length > 0;
}

interface Row {
  url: string;
  /** `PROXY` stands for the proxy's address. */
  env: Env;
  isProxied: boolean;
  /** Why curl, at least in some versions, does otherwise. */
  unlikeCurl?: string;
}

const THROUGH = { http_proxy: "http://PROXY", https_proxy: "http://PROXY" };
const exempt = (url: string, list: string, isProxied: boolean, unlikeCurl?: string): Row => ({
  url,
  env: { ...THROUGH, no_proxy: list },
  isProxied,
  ...(unlikeCurl === undefined ? {} : { unlikeCurl }),
});
const CLI = "the AWS CLI takes it";
const OTHERS = "other programs take it, and it can mean nothing else";
const BEDROCK = "https://bedrock.us-east-1.amazonaws.com";

const ROWS: readonly Row[] = [
  { url: BEDROCK, env: {}, isProxied: false },
  { url: BEDROCK, env: { HTTPS_PROXY: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { https_proxy: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { HTTPS_PROXY: "PROXY" }, isProxied: true },
  { url: BEDROCK, env: { https_proxy: "HTTP://PROXY/" }, isProxied: true },
  { url: BEDROCK, env: { https_proxy: "http://anna:s%23cret@PROXY" }, isProxied: true },
  { url: BEDROCK, env: { http_proxy: "http://PROXY" }, isProxied: false },
  { url: BEDROCK, env: { all_proxy: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { ALL_PROXY: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { all_proxy: "http://127.0.0.1:1", HTTPS_PROXY: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { https_proxy: "http://PROXY", HTTPS_PROXY: "http://127.0.0.1:1" }, isProxied: true },
  { url: BEDROCK, env: { https_proxy: "", HTTPS_PROXY: "http://PROXY" }, isProxied: true },
  { url: BEDROCK, env: { HTTPS_PROXY: "", ALL_PROXY: "http://PROXY" }, isProxied: true },
  { url: "http://a.example", env: { http_proxy: "http://PROXY" }, isProxied: true },
  { url: "http://a.example", env: { https_proxy: "http://PROXY" }, isProxied: false },
  { url: "http://a.example", env: { ALL_PROXY: "http://PROXY" }, isProxied: true },
  { url: "http://a.example", env: { HTTP_PROXY: "http://PROXY" }, isProxied: true, unlikeCurl: CLI },
  { url: "http://a.example", env: { HTTP_PROXY: "http://PROXY", REQUEST_METHOD: "GET" }, isProxied: false },
  { url: "http://a.example", env: { http_proxy: "http://PROXY", REQUEST_METHOD: "GET" }, isProxied: true },
  { url: "http://127.0.0.1:1", env: THROUGH, isProxied: true },
  { url: "http://localhost:1", env: THROUGH, isProxied: true },
  { url: BEDROCK, env: { HTTPS_PROXY: "http://PROXY", NO_PROXY: "amazonaws.com" }, isProxied: false },
  {
    url: BEDROCK,
    env: { ...THROUGH, no_proxy: "other.example", NO_PROXY: "amazonaws.com" },
    isProxied: true,
  },
  { url: BEDROCK, env: { ...THROUGH, no_proxy: "", NO_PROXY: "amazonaws.com" }, isProxied: false },
  exempt(BEDROCK, "amazonaws.com", false),
  exempt("https://notamazonaws.com", "amazonaws.com", true),
  exempt("https://amazonaws.com.evil.example", "amazonaws.com", true),
  exempt(BEDROCK, ".amazonaws.com", false),
  exempt("https://amazonaws.com", ".amazonaws.com", false),
  exempt(BEDROCK, "AmazonAWS.com", false),
  exempt("https://BEDROCK.us-east-1.amazonaws.com", "amazonaws.com", false),
  exempt("https://bedrock.us-east-1.amazonaws.com.", "amazonaws.com", false),
  exempt(BEDROCK, "amazonaws.com.", false),
  exempt(BEDROCK, "*", false),
  exempt(BEDROCK, " * ", false, "curl takes it without spaces only"),
  exempt(BEDROCK, "localhost,*", false, OTHERS),
  exempt(BEDROCK, "*.amazonaws.com", false, OTHERS),
  exempt("https://amazonaws.com", "*.amazonaws.com", true),
  exempt(BEDROCK, "localhost,127.0.0.1,amazonaws.com", false),
  exempt(BEDROCK, "localhost, amazonaws.com", false),
  exempt(BEDROCK, "localhost amazonaws.com", false),
  exempt(BEDROCK, ",,amazonaws.com,", false),
  exempt(BEDROCK, "localhost", true),
  exempt(BEDROCK, "com.amazonaws", true),
  exempt(BEDROCK, "bedrock", true),
  exempt("http://a.example:8080", "a.example:8080", false, CLI),
  exempt("http://a.example:8080", "a.example:80", true),
  exempt("http://a.example:8080", "a.example", false),
  exempt("http://a.example", "a.example:80", false, CLI),
  exempt(BEDROCK, "amazonaws.com:443", false, CLI),
  exempt(BEDROCK, "amazonaws.com:8443", true),
  exempt("http://10.1.2.3", "10.1.2.3", false),
  exempt("http://10.1.2.3", "10.1.2.4", true),
  exempt("http://10.1.2.3", "1.2.3", true),
  exempt("http://10.1.2.3", "10.0.0.0/8", false),
  exempt("http://11.1.2.3", "10.0.0.0/8", true),
  exempt("http://10.1.2.3", "10.1.2.0/24", false),
  exempt("http://10.1.3.3", "10.1.2.0/24", true),
  exempt("http://10.1.2.3", "10.1.2.3/32", false),
  exempt("http://10.1.2.3", "10.0.0.0/33", true),
  exempt("http://10.1.2.3", "10.0.0.0/x", true),
  exempt("http://10.1.2.3", "10.1.2.3:80", false, CLI),
  exempt("http://ten.example", "10.0.0.0/8", true),
  exempt("http://[fd00::1]", "fd00::1", false),
  exempt("http://[fd00::1]", "[fd00::1]", false, "curl 7 knows it without brackets only"),
  exempt("http://[fd00::1]:8080", "[fd00::1]:8080", false, OTHERS),
  exempt("http://[fd00::1]:8080", "[fd00::1]:80", true),
  exempt("http://[fd00::1]", "fd00:0:0::1", false, "curl compares the text"),
  exempt("http://[fd00::1]", "fd00::/8", false, "curl 7 has it with brackets in mind"),
  exempt("http://[2001:db8::1]", "fd00::/8", true),
  exempt("http://[fd00::1]", "fd00::/129", true),
];

describe("a request goes through the proxy as with curl", () => {
  it.each(ROWS.map((row) => [`${row.url} with ${JSON.stringify(row.env)}: ${row.isProxied}`, row] as const))(
    "%s",
    async (_, { url, env, isProxied, unlikeCurl }) => {
      const filled = Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, value.replace("PROXY", address)]),
      );
      expect(findProxy(url, filled)?.address).toBe(isProxied ? address : undefined);
      if (hasCurl && unlikeCurl === undefined) expect(await curlGoesThrough(url, filled)).toBe(isProxied);
    },
  );
});

describe("what only this machine has", () => {
  it.each([
    "http://169.254.169.254/latest",
    "http://[fd00:ec2::254]/latest",
    "http://169.254.170.2/v2",
    "http://169.254.170.23/v1",
    "http://[fd00:ec2::23]/v1",
  ])("%s never goes through a proxy", (url) => {
    expect(
      findProxy(url, { http_proxy: "http://proxy:3128", ALL_PROXY: "http://proxy:3128" }),
    ).toBeUndefined();
  });
});

describe("a proxy", () => {
  it.each([
    ["proxy.corp", { scheme: "http:", host: "proxy.corp", port: 80 }],
    ["proxy.corp:3128", { scheme: "http:", host: "proxy.corp", port: 3128 }],
    ["//proxy.corp:3128", { scheme: "http:", port: 3128 }],
    [" http://proxy.corp:3128/ ", { scheme: "http:", port: 3128 }],
    ["http://proxy.corp:80", { port: 80 }],
    ["https://proxy.corp", { scheme: "https:", port: 443 }],
    ["http://[::1]:3128", { host: "::1", port: 3128, address: "[::1]:3128" }],
    ["socks5://[::1]", { scheme: "socks5:", host: "::1", port: 1080 }],
    ["socks5h://proxy.corp:80", { scheme: "socks5h:", port: 80 }],
    ["SOCKS4A://proxy.corp", { scheme: "socks4a:", port: 1080 }],
    ["anna:pw@proxy.corp:3128", { user: "anna", password: "pw", shown: "http://proxy.corp:3128" }],
    ["http://anna:s%23cr%40t@proxy.corp", { user: "anna", password: "s#cr@t" }],
    ["http://anna:p@ss@proxy.corp", { user: "anna", password: "p@ss" }],
    ["http://anna:50%off@proxy.corp", { password: "50%off" }],
    ["http://anna@proxy.corp", { user: "anna", password: "" }],
    ["http://anna:gr%C3%BCn@proxy.corp", { password: "grün" }],
  ])("is read from %s", (HTTPS_PROXY, expected) => {
    expect(findProxy(BEDROCK, { HTTPS_PROXY })).toMatchObject({ variable: "HTTPS_PROXY", ...expected });
  });

  const ENCODE = "Percent-encode";
  it.each([
    ["http://alice:Secret#Pw@127.0.0.1:1", ENCODE],
    ["http://alice:Secret/Pw@127.0.0.1:1", ENCODE],
    ["http://alice:Secret?Pw@127.0.0.1:1", ENCODE],
    ["http://alice:1#SecretPw@127.0.0.1:1", ENCODE],
    ["http://alice:1/SecretPw@127.0.0.1:1", ENCODE],
    ["http://alice:1\\SecretPw@127.0.0.1:1", ENCODE],
    ["http://alice:SecretPw%ff@127.0.0.1:1", ENCODE],
    ["alice:Secret#Pw@127.0.0.1:1", ENCODE],
    ["socks5://alice:Secret#Pw@127.0.0.1:1", ENCODE],
    ["http://alice:Secret#Pw", "Write it as a URL"],
    ["ftp://alice:SecretPw@proxy.corp", "Use http://"],
    ["socks6://proxy.corp", "Use http://"],
    ["http://", "Write it as a URL"],
    ["not a proxy", "Write it as a URL"],
    ['"http://proxy.corp:3128"', "Write it as a URL"],
    ["http://proxy.corp:99999", "Write it as a URL"],
    ["http://proxy.corp:0", "Write it as a URL"],
    ["http://proxy.corp:port", "Write it as a URL"],
  ])("is not %s", (value, hint) => {
    for (const variable of ["HTTPS_PROXY", "all_proxy"]) {
      const failure = catchFrom(() => findProxy(BEDROCK, { [variable]: value }));
      expect(failure).toMatchObject({
        code: "config-invalid",
        exitCode: 3,
        message: expect.stringContaining(variable),
        hint: expect.stringContaining(hint),
      });
      expect(`${failure.message} ${failure.hint}`).not.toMatch(/Secret|Pw/);
    }
  });

  it("is not looked at for a host that is exempt", () => {
    expect(findProxy(BEDROCK, { HTTPS_PROXY: "not a proxy", NO_PROXY: "amazonaws.com" })).toBeUndefined();
  });
});

function catchFrom(work: () => unknown): OpenclawError {
  try {
    work();
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}
