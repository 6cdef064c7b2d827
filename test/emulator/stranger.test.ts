import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Upstream } from "../../src/emulator/emulator.ts";
import { emulate } from "./clients.ts";

/** What comes back for bytes that are sent as they are. */
async function say(port: number, text: string, host = "127.0.0.1"): Promise<string> {
  const socket = connect(port, host);
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (bytes) => (received += String(bytes)));
  socket.write(text);
  await once(socket, "close");
  return received;
}

const asked: unknown[] = [];
const upstream: Upstream = {
  converse: async (body) => {
    asked.push(body);
    return { output: { message: { role: "assistant", content: [] } } };
  },
  converseStream: async (body) => {
    asked.push(body);
    return [];
  },
  close: () => undefined,
};

const REQUESTS = (bearer: string, ...fields: string[]): string[] => {
  const body = '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}';
  const more = [...fields, "connection: close"].map((field) => `${field}\r\n`).join("");
  return [
    `POST /model/x/converse HTTP/1.1\r\n${more}authorization: Bearer ${bearer}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    `PUT /latest/api/token HTTP/1.1\r\n${more}x-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n`,
    `GET /foundation-models HTTP/1.1\r\n${more}authorization: Bearer ${bearer}\r\n\r\n`,
  ];
};

describe("a page in a browser", () => {
  it.each([
    ["another host", ["host: evil.example"]],
    ["another host with a port", ["host: evil.example:80"]],
    ["a name that begins like ours", ["host: localhost.evil.example"]],
    ["an address of the network", ["host: 10.0.0.1"]],
    ["a second host", ["host: localhost", "host: evil.example"]],
    ["a blank host", ["host: "]],
    ["an origin", ["host: localhost", "origin: https://evil.example"]],
    ["no origin to speak of", ["host: localhost", "origin: null"]],
  ])("is not answered under %s, with an upstream or without", async (_, fields) => {
    for (const options of [{ upstream }, {}]) {
      const emulator = await emulate(options);
      for (const request of REQUESTS(emulator.bearerToken, ...fields)) {
        const answer = await say(emulator.port, request);
        expect(answer).toMatch(/^HTTP\/1\.1 403 /);
        expect(answer).toContain("AccessDeniedException");
        expect(answer).toContain("The emulator answers to localhost only");
        expect(answer).not.toMatch(/access-control/i);
      }
      expect(emulator.calls).toEqual([]);
    }
    expect(asked).toEqual([]);
  });

  it("is not answered under another host in the target, or without any", async () => {
    const emulator = await emulate({ upstream });
    for (const request of [
      "GET http://evil.example/foundation-models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
      "GET /foundation-models HTTP/1.0\r\n\r\n",
    ])
      expect(await say(emulator.port, request)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("is not answered over HTTP/2, either", async () => {
    const emulator = await emulate();
    const session = connectHttp2(emulator.url);
    onTestFinished(() => session.destroy());
    const statusFor = async (authority: string): Promise<unknown> => {
      const request = session.request({ ":path": "/foundation-models", ":authority": authority });
      const [headers] = (await once(request, "response")) as [Record<string, unknown>];
      request.resume();
      return headers["x-amzn-errortype"];
    };
    expect(await statusFor("evil.example")).toContain("AccessDenied");
    expect(await statusFor(`127.0.0.1:${emulator.port}`)).toContain("MissingAuthenticationToken");
  });

  it("does not keep programs of this machine out", async () => {
    const emulator = await emulate({ upstream });
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:80", "127.8.9.1", "[::1]:9"]) {
      for (const fields of [[`host: ${host}`], [`host: ${host}`, "origin: http://localhost:3000"]]) {
        for (const request of REQUESTS(emulator.bearerToken, ...fields))
          expect(await say(emulator.port, request)).toMatch(/^HTTP\/1\.1 200 /);
      }
    }
    asked.length = 0;
  });
});

describe("a body", () => {
  it.each([
    // Bounds of the emulator's own.
    ["nested too deeply", `{"messages":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "ValidationException"],
    ["of too many values", `{"messages":[${"{},".repeat(300_000)}{}]}`, "ValidationException"],
    [
      "that is no UTF-8",
      Buffer.from('{"messages":[{"role":"caf\u00e9"}]}', "latin1"),
      "SerializationException",
    ],
    ["in words", "hello", "SerializationException"],
  ])("%s is refused", async (_, body, error) => {
    for (const options of [{ upstream }, {}]) {
      const emulator = await emulate(options);
      const response = await fetch(`${emulator.url}/model/amazon.nova-lite-v1:0/converse`, {
        method: "POST",
        headers: { authorization: `Bearer ${emulator.bearerToken}` },
        body,
      });
      expect(response.status).toBe(400);
      expect(response.headers.get("x-amzn-errortype")).toContain(error);
    }
  });
});
