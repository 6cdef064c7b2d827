import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { emulate } from "./clients.ts";
import { send, sign } from "./signed-request.ts";

const LIST = { method: "GET", path: "/v1/models" };

function client({ url, bearerToken }: Emulator): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: bearerToken, maxRetries: 0 });
}

describe("the models of Mantle", () => {
  it("are listed to OpenAI's client, bare ids of several vendors", async () => {
    const { data } = await client(await emulate()).models.list();
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["openai.gpt-oss-120b", "anthropic.claude-sonnet-5"]));
    expect(ids.filter((id) => /^(us|global)\.|:/.test(id))).toEqual([]);
  });

  it("are asked by bare ids only", async () => {
    const emulator = await emulate();
    const asked = { model: "us.xai.grok-4.3", messages: [{ role: "user", content: "hi" }] };
    const request = { method: "POST", path: "/v1/chat/completions", body: JSON.stringify(asked) };
    const answer = await send(emulator, await sign(emulator, request, { service: "bedrock-mantle" }));
    expect(answer.status).toBe(404);
    expect(answer.body).toContain("The model 'us.xai.grok-4.3' does not exist");
  });

  it.each(["bedrock-mantle", "bedrock"])("are listed to who signs for %s", async (service) => {
    const emulator = await emulate();
    const { status, body } = await send(emulator, await sign(emulator, LIST, { service }));
    expect([status, JSON.parse(body)]).toMatchObject([200, { object: "list" }]);
    expect(emulator.calls[0]?.permissions).toEqual([
      {
        action: "bedrock-mantle:ListModels",
        resource: "arn:aws:bedrock-mantle:us-east-1:123456789012:project/default",
        context: {},
      },
    ]);
  });

  it("are told to nobody who signs for another service, or not at all, in the shape of OpenAI's errors", async () => {
    const emulator = await emulate();
    const requests = [await sign(emulator, LIST, { service: "sqs" }), { ...LIST, headers: {} }];
    for (const request of requests) {
      const { status, body } = await send(emulator, request);
      expect([status, JSON.parse(body)]).toMatchObject([403, { error: { code: "authentication_error" } }]);
    }
    await expect(client({ ...emulator, bearerToken: "wrong" }).models.list()).rejects.toMatchObject({
      status: 403,
      code: "access_denied",
    });
  });

  it("need bedrock-mantle:CallWithBearerToken besides where an API key asks", async () => {
    const emulator = await emulate();
    await client(emulator).models.list();
    expect(emulator.calls[0]?.permissions.map(({ action }) => action)).toEqual([
      "bedrock-mantle:ListModels",
      "bedrock-mantle:CallWithBearerToken",
    ]);
  });
});
