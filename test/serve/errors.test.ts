import { APIError } from "openai";
import { describe, expect, it } from "vitest";
import { wellFormed } from "../../src/json.ts";
import { eventStep } from "../../src/emulator/converse.ts";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { openaiServer, type OpenaiReply, refusal } from "../helpers/openai-server.ts";
import { MODEL, serve } from "../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

const failing = (answer: ScriptedAnswer) => ({
  emulator: {
    script: ({ route }: { route: string }) => (route === "ConverseStream" ? answer : undefined),
  },
});

const aws = (name: string, message: string, headers: Record<string, string> = {}): ScriptedAnswer => ({
  error: { name, message, headers },
});

const AWS_FAILURES: readonly [
  what: string,
  answer: ScriptedAnswer,
  status: number,
  error: Record<string, unknown>,
][] = [
  [
    "throttling",
    aws("ThrottlingException", "Too many tokens, please wait before trying again."),
    429,
    { code: "rate_limit_exceeded", type: "rate_limit_error" },
  ],
  [
    "a denial",
    aws(
      "AccessDeniedException",
      "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:us-east-1::foundation-model/m because no identity-based policy allows the action",
    ),
    403,
    { code: "access_denied", type: "permission_error" },
  ],
  [
    "a model that is not open to the account",
    aws("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    403,
    { code: "model_access_denied", param: "model" },
  ],
  [
    "a bad parameter",
    aws("ValidationException", "The value at temperature is too high."),
    400,
    { code: "invalid_request", type: "invalid_request_error" },
  ],
  [
    "input that is too long",
    aws("ValidationException", "Input is too long for requested model."),
    400,
    { code: "context_length_exceeded", param: "messages" },
  ],
  [
    "a model that AWS does not know",
    aws("ValidationException", "The provided model identifier is invalid."),
    404,
    { code: "model_not_found", param: "model" },
  ],
  [
    "a service that is not available",
    aws("ServiceUnavailableException", "Try again."),
    503,
    { code: "service_unavailable", type: "server_error" },
  ],
  ["a fault inside of AWS", aws("InternalServerException", "Oops"), 503, { type: "server_error" }],
  ["a connection that breaks off", { drop: "reset" }, 502, { code: "network_error" }],
  [
    "an answer that is not AWS's",
    { http: { status: 200, headers: { "content-type": "text/html" }, body: "<html>" } },
    502,
    { code: "bad_response" },
  ],
  [
    "output that is not well formed",
    { stream: [...textAnswerSteps([], { stopReason: "malformed_model_output" })] },
    502,
    { code: "model_error" },
  ],
  [
    "a token that AWS rejects",
    aws("UnrecognizedClientException", "The security token included in the request is invalid."),
    // Not one at which clients try again: nothing gets better by that.
    403,
    { code: "aws_credentials", type: "permission_error" },
  ],
];

describe("errors of another provider", () => {
  const asking = async (reply: OpenaiReply): Promise<APIError> => {
    const { baseUrl } = await openaiServer({ chat: () => reply });
    const config = { models: { providers: { lab: { baseUrl, apiKey: "sk-1", models: [{ id: "m" }] } } } };
    const { client } = await serve({ config: JSON.stringify(config) });
    const asked = client.chat.completions.create({ ...ask, model: "lab/m" });
    return (await asked.catch((error: unknown) => error)) as APIError;
  };

  it.each([
    ["seconds", { "retry-after": "77" }],
    ["ms", { "retry-after-ms": "76200" }],
    ["a date", { "retry-after": new Date(Date.now() + 3600_000).toUTCString() }],
  ])("hands on how long it asks to wait, told in %s", async (kind, headers) => {
    const { status, headers: got } = await asking(refusal(429, { message: "Slow down." }, headers));
    const seconds = Number(got?.get("retry-after"));
    expect([status, kind === "a date" ? seconds > 3500 && seconds <= 3600 : seconds]).toEqual([
      429,
      kind === "a date" || 77,
    ]);
  });

  it("says nothing of AWS where its key is refused", async () => {
    const error = await asking(refusal(401, { message: "Incorrect API key provided: sk-1" }));
    expect(error).toMatchObject({ status: 403, code: "provider_credentials" });
    expect(error.message).not.toMatch(/AWS|sk-1/);
  });
});

it("names a conversation that is too long by what Responses call it", async () => {
  const { client } = await serve(
    failing(aws("ValidationException", "Input is too long for requested model.")),
  );
  await expect(client.responses.create({ model: MODEL, input: "x" })).rejects.toMatchObject({
    code: "context_length_exceeded",
    param: "input",
  });
});

describe("errors of AWS", () => {
  it.each(AWS_FAILURES)("%s becomes OpenAI's error, streamed or not", async (_, answer, status, error) => {
    const { client, logged } = await serve(failing(answer));
    for (const stream of [false, true]) {
      const failure = await client.chat.completions
        .create({ ...ask, stream })
        .then(() => undefined)
        .catch((thrown: unknown) => thrown);
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ status, ...error });
      expect((failure as APIError).requestID).toMatch(/^[\w-]{20,}$/);
    }
    const line = await logged((entry) => entry.isStreamed === true);
    expect(line).toMatchObject({ status, error: { code: expect.any(String) as string } });
  });

  it("hands on how long AWS asks to wait, and AWS's request id", async () => {
    const { client, emulator } = await serve(
      failing(aws("ThrottlingException", "Too many requests", { "retry-after": "17" })),
    );
    const failure = (await client.chat.completions.create(ask).catch((error: unknown) => error)) as APIError;
    expect(failure.status).toBe(429);
    expect(failure.headers?.get("retry-after")).toBe("17");
    expect(failure.requestID).toBe(emulator.calls.find(({ route }) => route === "ConverseStream")?.requestId);
  });

  it("lets no client try again by itself while the quota of the day is used up", async () => {
    const daily = "Too many tokens per day, please wait before trying again.";
    const { origin } = await serve(failing(aws("ThrottlingException", daily)));
    for (const [path, body] of [
      ["chat/completions", ask],
      ["responses", { model: MODEL, input: "x" }],
      ["messages", { ...ask, max_tokens: 9 }],
    ] as const) {
      const { status, headers } = await fetch(`${origin}/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      expect([path, status, headers.get("x-should-retry")]).toEqual([path, 429, "false"]);
    }
  });

  it("lets OpenAI's client try again after a throttled call", async () => {
    const { client } = await serve({
      emulator: {
        script: ({ route, nth }) =>
          route === "ConverseStream" && nth === 1
            ? aws("ThrottlingException", "Too many requests", { "retry-after": "0.01" })
            : undefined,
      },
    });
    const answer = await client.chat.completions.create(ask, { maxRetries: 1 });
    expect(answer.choices[0]?.message.content).toContain("simulated");
  });

  it("never tells a client how the server's credentials look", async () => {
    const { client, logged } = await serve(failing(aws("ExpiredTokenException", "The token has expired")));
    const failure = (await client.chat.completions.create(ask).catch((error: unknown) => error)) as APIError;
    expect(failure.message).not.toMatch(/AKIA|profile|AWS_/);
    expect((await logged(({ status }) => status === 403)).error?.code).toBe("credentials-expired");
  });

  const DENIED =
    "User: arn:aws:iam::123456789012:user/gateway is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x because no identity-based policy allows the bedrock:InvokeModel action";
  it.each<[what: string, answer: ScriptedAnswer, status: number, message: RegExp]>([
    ["a connection that breaks off", { drop: "reset" }, 502, /cannot reach the service of the model/],
    [
      "a page in place of an answer",
      { http: { status: 502, headers: { "content-type": "text/html" }, body: "<html>" } },
      502,
      /did not answer as it should|not an event stream/,
    ],
    [
      "a redirect",
      { http: { status: 302, headers: { location: "https://login.internal.example/x" }, body: "" } },
      502,
      /did not answer as it should/,
    ],
    ["a denial", aws("AccessDeniedException", DENIED), 403, /this server may not call bedrock:InvokeModel/],
    [
      "an expired token",
      aws("ExpiredTokenException", "The security token included in the request is expired"),
      403,
      /The AWS credentials of this server have expired/,
    ],
  ])(
    "never tells what is behind the server, whatever the model's API: %s",
    async (_, answer, status, says) => {
      for (const [model, routes] of [
        [MODEL, /^ConverseStream$/],
        // Where one API sends what is not AWS's the others are asked.
        [
          "us.openai.gpt-5.6-luna",
          "http" in answer ? /^(Responses|ChatCompletions|ConverseStream)$/ : /^Responses$/,
        ],
      ] as const) {
        const { origin, logged } = await serve({
          emulator: { script: ({ route }) => (routes.test(route) ? answer : undefined) },
        });
        const bodies: readonly [path: string, body: object][] = [
          ["/v1/chat/completions", { ...ask, model }],
          ["/v1/responses", { model, input: "x" }],
          ["/v1/messages", { ...ask, model, max_tokens: 100 }],
        ];
        for (const [path, body] of bodies) {
          const response = await fetch(`${origin}${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          });
          const told = await response.text();
          expect({ model, path, status: response.status, told }).toMatchObject({ status });
          expect(told).toMatch(says);
          expect(told).not.toMatch(/AWS_ENDPOINT_URL|127\.0\.0\.1|internal\.example|arn:aws|123456789012/);
        }
        const { error } = await logged((entry) => entry.status === status);
        expect(error?.message).not.toMatch(/this server|Its log/);
      }
    },
  );

  it("tells a client what to send in place of a file's address, and no flags of the server's", async () => {
    const { origin } = await serve();
    const url = "https://example.com/a.png";
    const s3 = { image: { format: "png", source: { s3Location: { uri: "s3://bucket/a.png" } } } };
    const bodies: readonly [path: string, content: unknown[]][] = [
      ["/v1/chat/completions", [{ type: "image_url", image_url: { url } }]],
      ["/v1/messages", [{ type: "image", source: { type: "url", url } }]],
      [`/model/${MODEL}/converse`, [s3]],
    ];
    for (const [path, content] of bodies) {
      const response = await fetch(`${origin}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, max_tokens: 9, messages: [{ role: "user", content }] }),
      });
      const told = await response.text();
      expect({ path, status: response.status, told }).toMatchObject({ status: 400 });
      expect(told).toMatch(/send (a data URL|them as base64|the bytes)/);
      expect(told).not.toContain("--");
    }
  });

  it("names the model, not an action of IAM's, where a stream of Responses is throttled", async () => {
    const model = "us.openai.gpt-5.6-luna";
    const step = { exception: "throttlingException", payload: { message: "Too many requests" } };
    const { client } = await serve({
      emulator: {
        script: ({ route }) => (route === "Responses" ? { stream: [textStep("So"), step] } : undefined),
      },
    });
    const failure = (await client.chat.completions
      .create({ ...ask, model })
      .catch((error: unknown) => error)) as APIError;
    expect(failure.message).toContain(`AWS throttles model '${model}'`);
  });

  it.each([
    ["breaks off", { end: "reset" as const }, "stream_broken"],
    [
      "is throttled",
      { exception: "throttlingException", payload: { message: "Too many" } },
      "rate_limit_exceeded",
    ],
  ])("ends a stream that %s in the middle with an error event and no [DONE]", async (_, step, code) => {
    const { client, origin } = await serve(failing({ stream: [textStep("So far"), step] }));
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? "");
    };
    await expect(read()).rejects.toMatchObject({ code });
    expect(texts.join("")).toBe("So far");
    const raw = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...ask, stream: true }),
    });
    const text = await raw.text();
    expect(text).not.toContain("[DONE]");
    expect(JSON.parse(text.trim().split("\n\n").at(-1)?.replace("data: ", "") ?? "")).toMatchObject({
      error: { code },
    });
  });

  it("finishes what AWS withholds in the middle as content_filter", async () => {
    const { client } = await serve(
      failing({
        stream: [
          textStep("So far"),
          {
            exception: "validationException",
            payload: { message: "Output blocked by content filtering policy" },
          },
        ],
      }),
    );
    const answer = await client.chat.completions.create(ask);
    expect(answer.choices[0]).toMatchObject({
      finish_reason: "content_filter",
      message: { content: "So far" },
    });
  });

  it("turns output that is not well formed into an error event after the first token", async () => {
    const { client } = await serve(
      failing({ stream: [textStep("x"), eventStep("messageStop", { stopReason: "malformed_tool_use" })] }),
    );
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    await expect(
      (async () => {
        for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
      })(),
    ).rejects.toMatchObject({ code: "model_error" });
  });
});

describe("requests that cannot be taken", () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  it("are refused with the parameter at fault, before AWS is asked", async () => {
    const { origin, emulator } = await serve();
    const cases: [body: object, status: number, param: string, code?: string][] = [
      [{ n: 2 }, 400, "n", "unsupported_parameter"],
      [{ logprobs: true }, 400, "logprobs", "unsupported_parameter"],
      [{ top_logprobs: 3 }, 400, "top_logprobs", "unsupported_parameter"],
      [{ modalities: ["text", "audio"] }, 400, "modalities", "unsupported_parameter"],
      [{ audio: { voice: "alloy", format: "mp3" } }, 400, "audio", "unsupported_parameter"],
      [{ frequency_penalty: 1 }, 400, "frequency_penalty", "unsupported_parameter"],
      [{ functions: [{ name: "f" }] }, 400, "functions", "unsupported_parameter"],
      [{ top_k: "many" }, 400, "top_k"],
      [{ temperature: "hot" }, 400, "temperature"],
      [{ max_tokens: 0 }, 400, "max_tokens"],
      [{ max_tokens: 1, max_completion_tokens: 2 }, 400, "max_tokens"],
      [{ stream: "yes" }, 400, "stream"],
      [{ reasoning_effort: "extreme" }, 400, "reasoning_effort"],
      [{ response_format: { type: "xml" } }, 400, "response_format.type"],
      [
        {
          response_format: { type: "json_schema", json_schema: { name: "a", schema: { type: "no-type" } } },
        },
        400,
        "response_format.json_schema.schema",
      ],
      [{ tools: [{ type: "nothing" }] }, 400, "tools[0].type"],
      [{ tool_choice: "required" }, 400, "tool_choice"],
      [{ messages: [] }, 400, "messages"],
      [{ messages: "hi" }, 400, "messages"],
      [{ messages: [{ role: "system", content: " " }] }, 400, "messages"],
      [{ messages: [{ role: "narrator", content: "x" }] }, 400, "messages[0].role"],
      [
        user([{ type: "input_audio", input_audio: { data: "aGVsbG8=", format: "wav" } }]),
        400,
        "messages[0].content[0].input_audio.data",
      ],
      [
        user([{ type: "image_url", image_url: { url: "http://127.0.0.1:9/cat.png" } }]),
        400,
        "messages[0].content[0].image_url.url",
        "invalid_image_url",
      ],
      [
        user([{ type: "image_url", image_url: { url: "data:image/png;base64,aGVsbG8=" } }]),
        400,
        "messages[0].content[0].image_url.url",
        "invalid_image_format",
      ],
      [user([{ type: "file", file: { file_id: "file-1" } }]), 400, "messages[0].content[0].file.file_id"],
      [{ model: 5 }, 400, "model"],
      [{ model: undefined }, 400, "model"],
      [{ model: "gpt-4o" }, 404, "model", "model_not_found"],
      [{ model: "arn:aws:bedrock:xx-nowhere-1::foundation-model/x" }, 404, "model", "model_not_found"],
    ];
    for (const [body, status, param, code] of cases) {
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...ask, ...body }),
      });
      const { error } = (await response.json()) as { error: Record<string, unknown> };
      expect({ body, status: response.status, param: error["param"] }).toEqual({ body, status, param });
      expect(error).toMatchObject({ type: "invalid_request_error", message: expect.any(String) as string });
      if (code !== undefined) expect({ body, code: error["code"] }).toEqual({ body, code });
    }
    expect(emulator.calls.filter(({ route }) => route === "ConverseStream")).toEqual([]);
  });

  it("are refused when the body is no JSON, of another type, or too large", async () => {
    const { origin } = await serve({ args: ["--max-body", "0.01"] });
    const send = async (body: string, type = "application/json"): Promise<unknown[]> => {
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      const { error } = (await response.json()) as { error: { code: string } };
      return [response.status, error.code];
    };
    expect(await send("{")).toEqual([400, "invalid_json"]);
    expect(await send("")).toEqual([400, "invalid_json"]);
    expect(await send("[]")).toEqual([400, "invalid_request"]);
    expect(await send("null")).toEqual([400, "invalid_request"]);
    expect(await send(JSON.stringify(ask), "text/plain")).toEqual([415, "unsupported_media_type"]);
    expect(await send(" ".repeat(20_000))).toEqual([413, "request_too_large"]);
  });
});

describe("a field of the wrong type", () => {
  it.each<[path: string, body: object, message: string]>([
    ["/v1/chat/completions", { stop: 5 }, "'stop' is 5, and must be a string or an array."],
    [
      "/v1/chat/completions",
      { messages: [{ role: "user", content: {} }] },
      "'messages[0].content' is {}, and must be a string or an array.",
    ],
    ["/v1/chat/completions", { tools: [{}] }, "'tools[0].type' is missing, and must be function or custom."],
    ["/v1/responses", { input: {} }, "'input' is {}, and must be a string or an array."],
    ["/v1/messages", { system: 5 }, "'system' is 5, and must be a string or an array."],
    ["/v1/messages", { tools: "x" }, "'tools' is \"x\", and must be an array."],
  ])("is told with all that it may be: %s %j", async (path, fields, message) => {
    const { origin } = await serve();
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...ask, input: "x", max_tokens: 9, ...fields }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message } });
  });
});

describe("half a character that a client sends", () => {
  it.each<[string, object]>([
    ["the model", { model: "am\ud83d" }],
    [
      "a field's name",
      {
        tools: [{ type: "function", function: { name: "f", parameters: { "x\ud83d": 1, type: "object" } } }],
        tool_choice: "x\ud83d",
      },
    ],
    ["a field's value", { reasoning_effort: "\udc00" }],
    ["a role", { messages: [{ role: "us\ud83d", content: "x" }] }],
  ])("is whole in the error and in the log: %s", async (_, fields) => {
    const server = await serve({ args: ["--log-content"] });
    const response = await fetch(`${server.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...ask, ...fields }),
    });
    const text = await response.text();
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(wellFormed(JSON.parse(text))).toEqual(JSON.parse(text));
    const line = await server.logged(({ kind }) => kind === "request");
    expect(wellFormed(line)).toEqual(line);
  });
});
