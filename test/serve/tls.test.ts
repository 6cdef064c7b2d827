import { execFile } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { connect } from "node:net";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { field, FLAG, frame, FRAME, openRawHttp2 } from "../helpers/http2-frames.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { MODEL, serve } from "../helpers/served.ts";
import { type Certificate, issueCertificate } from "../helpers/tls-front.ts";

let one: Certificate;
let other: Certificate;
beforeAll(async () => {
  [one, other] = await Promise.all([issueCertificate(), issueCertificate()]);
});

/** Files of a certificate in a folder of the test's own. */
function write({ certificate, key }: { certificate: string; key: string }, folder = createHome()) {
  const [cert, keyFile] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
  writeFileSync(cert, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { folder, cert, key: keyFile, args: ["--tls-cert", cert, "--tls-key", keyFile] };
}

/** What a client that knows only this authority gets. */
async function ask(origin: string, ca: string): Promise<string> {
  const request = get(`${origin}/health`, { ca, agent: false });
  const [response] = (await once(request, "response")) as [AsyncIterable<Buffer>];
  let text = "";
  for await (const piece of response) text += String(piece);
  return text;
}

describe("serve with a certificate", () => {
  it("speaks HTTP/1.1 and HTTP/2 inside TLS, by what the client chose", async () => {
    const { origin, log } = await serve({ args: write(one).args });
    expect(origin).toMatch(/^https:/);
    expect(await ask(origin, one.authority)).toBe('{"status":"ok"}');
    const session = connectHttp2(origin, { ca: one.authority });
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ":path": "/v1/chat/completions",
      ":method": "POST",
      "content-type": "application/json",
    });
    let text = "";
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    stream.end(JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "x" }] }));
    await once(stream, "end");
    expect(text).toContain("You asked: x");
    expect(session.alpnProtocol).toBe("h2");
    expect(log.filter(({ message }) => message?.includes("unencrypted"))).toEqual([]);
  });

  it("is what curl speaks", async (context) => {
    const run = promisify(execFile);
    const { stdout: version } = await run("curl", ["--version"]).catch(() => ({ stdout: "" }));
    if (!version.includes("HTTP2")) context.skip("This machine has no curl that speaks HTTP/2.");
    const { origin, home } = await serve({ args: write(one).args });
    const ca = path.join(home, "ca.pem");
    writeFileSync(ca, one.authority);
    for (const [flag, expected] of [
      ["--http2", "2 200"],
      ["--http1.1", "1.1 200"],
      ["--http2-prior-knowledge", "2 200"],
    ] as const) {
      const args = ["-sS", flag, "--cacert", ca, "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
      expect((await run("curl", [...args, `${origin}/health`])).stdout).toBe(expected);
    }
  });

  it("takes nothing older than TLS 1.2, and says in the log why a client was not spoken with", async () => {
    const { origin, logged } = await serve({ args: write(one).args });
    const { port } = new URL(origin);
    const socket = connectTls({
      port: Number(port),
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ca: one.authority,
    });
    await expect(once(socket, "secureConnect")).rejects.toThrow();
    await expect(ask(origin, other.authority)).rejects.toThrow();
    await logged(({ message }) => message?.startsWith("TLS with a client did not come about: ") === true);
    const next = connectTls({
      port: Number(port),
      maxVersion: "TLSv1.2",
      ca: one.authority,
      host: "127.0.0.1",
    });
    onTestFinished(() => void next.destroy());
    await once(next, "secureConnect");
  });

  it("tells who speaks to it without TLS what to do, on either protocol", async () => {
    const { origin } = await serve({ args: write(one).args });
    const clear = origin.replace("https:", "http:");
    const response = await fetch(`${clear}/v1/models`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "tls_required", message: "This port speaks TLS: its address begins with https://." },
    });
    const raw = await openRawHttp2(Number(new URL(origin).port));
    onTestFinished(() => void raw.socket.destroy());
    const headers = [":method", "GET", ":scheme", "http", ":path", "/health", ":authority", "localhost"];
    const fields = Array.from({ length: 4 }, (_, index) =>
      field(headers[2 * index] ?? "", headers[2 * index + 1] ?? ""),
    );
    await raw.send(frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.concat(fields)));
    await expect
      .poll(() =>
        raw.frames
          .filter(({ type }) => type === FRAME.DATA)
          .map(({ payload }) => String(payload))
          .join(""),
      )
      .toContain("tls_required");
  });

  it("is not held up by a client that shakes no hands", async () => {
    const { origin } = await serve({ args: [...write(one).args, "--read-timeout", "1"] });
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.on("error", () => undefined);
    // The beginning of a handshake.
    socket.write(Buffer.of(0x16, 3, 1));
    const drip = setInterval(() => socket.write(Buffer.of(1)), 400);
    onTestFinished(() => clearInterval(drip));
    socket.resume();
    await once(socket, "close");
  });

  it("ends as without one", async () => {
    const { origin, end } = await serve({ args: write(one).args });
    const session = connectHttp2(origin, { ca: one.authority });
    session.on("error", () => undefined);
    await once(session, "connect");
    const closed = once(session, "close");
    expect(await end()).toBe(143);
    await closed;
  });
});

describe("a certificate that is renewed", () => {
  /** Ways in which programs do it. */
  const ways: [string, (files: ReturnType<typeof write>) => void][] = [
    ["written in its place", ({ folder }) => void write(other, folder)],
    [
      "replaced",
      ({ folder, cert, key }) => {
        const next = write(other);
        expect(next.folder).not.toBe(folder);
        renameSync(next.cert, cert);
        renameSync(next.key, key);
      },
    ],
  ];

  it.each(ways)("is shown from then on, and running connections stay: %s", async (_, renew) => {
    const files = write(one);
    const { origin, logged } = await serve({ args: files.args });
    const session = connectHttp2(origin, { ca: one.authority });
    onTestFinished(() => session.destroy());
    await once(session, "connect");
    renew(files);
    await logged(({ message }) => message?.startsWith("The certificate was read again") === true);
    expect(await ask(origin, other.authority)).toBe('{"status":"ok"}');
    await expect(ask(origin, one.authority)).rejects.toThrow();
    const stream = session.request({ ":path": "/health" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(200);
  });

  it("may lie behind links that are set anew, as certbot does, and is read at SIGHUP at once", async () => {
    const folder = createHome();
    for (const [name, pair] of [
      ["1", one],
      ["2", other],
    ] as const) {
      mkdirSync(path.join(folder, name));
      write(pair, path.join(folder, name));
    }
    const link = (from: string): void => {
      for (const file of ["cert.pem", "key.pem"]) {
        symlinkSync(path.join(from, file), path.join(folder, `${file}.new`));
        renameSync(path.join(folder, `${file}.new`), path.join(folder, file));
      }
    };
    link("1");
    const args = ["--tls-cert", path.join(folder, "cert.pem"), "--tls-key", path.join(folder, "key.pem")];
    const { origin, child, logged } = await serve({ args });
    link("2");
    child.kill("SIGHUP");
    await logged(({ message }) => message?.startsWith("The certificate was read again") === true);
    expect(await ask(origin, other.authority)).toBe('{"status":"ok"}');
  });

  it("is not taken by halves: the old pair stays until the new one is whole, and the log says why", async () => {
    const files = write(one);
    const { origin, child, logged, log } = await serve({ args: files.args });
    writeFileSync(files.cert, other.certificate);
    child.kill("SIGHUP");
    const { message } = await logged(
      ({ message }) => message?.startsWith("The certificate stays as it is") === true,
    );
    expect(message).toContain(`The key '${files.key}' is not that of the certificate '${files.cert}'`);
    expect(await ask(origin, one.authority)).toBe('{"status":"ok"}');
    writeFileSync(files.key, other.key);
    await logged(({ message }) => message?.startsWith("The certificate was read again") === true);
    expect(await ask(origin, other.authority)).toBe('{"status":"ok"}');
    expect(JSON.stringify(log)).not.toContain("PRIVATE KEY");
  });
});

describe("a pair that cannot be used ends the command with exit code 2 and says what is wrong", () => {
  const encrypted = () =>
    String(
      createPrivateKey(one.key).export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "x",
      }),
    );
  const cases: [string, () => { certificate: string; key: string }, RegExp][] = [
    ["of two pairs", () => ({ ...one, key: other.key }), /is not that of the certificate/],
    [
      "in the wrong order",
      () => ({ key: one.key, certificate: `${one.authority}\n${one.certificate}` }),
      /but of its number 2\.[^]*server's own certificate first/,
    ],
    [
      "in each other's place",
      () => ({ certificate: one.key, key: one.certificate }),
      /in each other's place/,
    ],
    ["with an encrypted key", () => ({ ...one, key: encrypted() }), /is encrypted[^]*openssl pkey -in/],
    [
      "in DER",
      () => ({ ...one, certificate: "\x30\x82\x01" }),
      /holds no certificate in PEM[^]*openssl x509 -in/,
    ],
    [
      "with a broken certificate",
      () => ({ ...one, certificate: one.certificate.replace(/\n.{20}/, "\n") }),
      /cannot be used/,
    ],
    ["empty", () => ({ certificate: "", key: "" }), /holds no certificate in PEM/],
  ];

  it.each(cases)("%s", async (_, pair, expected) => {
    const { folder, args } = write(pair());
    const { code, stderr, stdout } = await openclaw(["serve", "--port", "0", ...args], folder, {});
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/BEGIN|MII/);
  });

  it("half of one", async () => {
    const { folder, cert } = write(one);
    const { code, stderr } = await openclaw(["serve", "--port", "0", "--tls-cert", cert], folder, {});
    expect(code).toBe(2);
    expect(stderr).toContain("Name both: openclaw serve --tls-cert");
  });

  it("that is not there", async () => {
    const home = createHome();
    const args = ["serve", "--port", "0", "--tls-cert", "nowhere.pem", "--tls-key", "nowhere.pem"];
    const { code, stderr } = await openclaw(args, home, {});
    expect(code).toBe(2);
    expect(stderr).toContain("--tls-cert 'nowhere.pem' cannot be read");
  });
});

it.skipIf(process.platform === "win32")("warns of a key that everybody can read", async () => {
  const files = write(one);
  chmodSync(files.key, 0o644);
  const { stderr } = await openclaw(
    ["serve", "--port", "0", ...files.args, "--cors", "no origin"],
    files.folder,
  );
  expect(stderr).toContain(`Others on this machine can read the key '${files.key}'.`);
  expect(stderr).toContain(`chmod 600 ${files.key}`);
});
