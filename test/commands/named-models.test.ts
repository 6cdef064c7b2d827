import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { serve } from "../helpers/served.ts";

const OPUS = "us.anthropic.claude-opus-4-8";
const LEGACY = "anthropic.claude-3-7-sonnet-20250219-v1:0";

describe("a name that somebody types is the same model", () => {
  it.each([
    ["opus", OPUS],
    ["Claude Opus 4.8", OPUS],
    ["nova lite", "amazon.nova-lite-v1:0"],
    ["amazon-bedrock/haiku", "us.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["us.opus", OPUS],
    ["bedrock/opus", OPUS],
    ["anthropic.claude-sonnet", "us.anthropic.claude-sonnet-5"],
  ])("%j in chat, models set, models show, models list, doctor and iam policy", async (name, id) => {
    const emulated = await emulate();
    const chat = await emulated.run(["chat", "-m", name, "hi", "--json"]);
    expect(chat).toMatchObject({ code: 0 });
    expect(JSON.parse(chat.stdout)).toMatchObject({ model: id });
    expect(chat.stderr).toBe(`openclaw: ${name} is ${id}\n`);

    const show = await emulated.run(["models", "show", name, "--json"]);
    expect(JSON.parse(show.stdout)).toMatchObject({ id });

    emulated.configure(JSON.stringify({ agents: { defaults: { model: name } } }));
    const asked = await emulated.run(["chat", "hi", "--json"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ model: id });
    const list = JSON.parse((await emulated.run(["models", "list", "--json"])).stdout);
    expect(list.models[0]).toMatchObject({ id, missing: false, tags: expect.arrayContaining(["default"]) });
    const doctor = JSON.parse((await emulated.run(["doctor", "--json"])).stdout);
    expect(doctor.checks.find((check: { id: string }) => check.id === "default-model")).toMatchObject({
      status: "ok",
      detail: expect.stringContaining(id),
    });
    const policy = await emulated.run(["iam", "policy"]);
    expect(policy.stdout).toContain(id);

    const set = await emulated.run(["models", "set", name]);
    expect(set).toMatchObject({ code: 0, stdout: `Default model: amazon-bedrock/${id}\n` });
  });

  it("as a fallback, and as one of several of --model", async () => {
    const emulated = await emulate();
    emulated.configure(
      JSON.stringify({
        agents: { defaults: { model: { primary: "amazon.nova-gone", fallbacks: ["opus"] } } },
      }),
    );
    const asked = await emulated.run(["chat", "hi", "--json"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ model: OPUS });
    const named = await emulated.run(["chat", "-m", "nope,gpt-oss,opus", "hi", "--json"]);
    expect(JSON.parse(named.stdout)).toMatchObject({ model: OPUS });
  });

  it("in serve: as the request's model and as a target of --map", async () => {
    const { client, logged } = await serve({ args: ["--map", "best=opus"] });
    for (const model of ["Opus 4.8", "best", "us.opus"]) {
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: "user", content: "hi" }],
      });
      expect(answer.choices[0]?.message.content).toBeTruthy();
      expect(await logged((line) => line.model === model)).toMatchObject({ calledModel: OPUS });
    }
    const refused = client.chat.completions.create({
      model: "llama",
      messages: [{ role: "user", content: "hi" }],
    });
    await expect(refused).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("a name", () => {
  it("that stands for several is refused with them, the newest first", async () => {
    const emulated = await emulate();
    for (const args of [
      ["chat", "-m", "llama", "hi"],
      ["models", "set", "llama"],
      ["models", "show", "llama"],
    ]) {
      const { code, stdout } = await emulated.run([...args, "--json"]);
      expect(code).toBe(6);
      const { error } = JSON.parse(stdout);
      expect(error).toMatchObject({
        code: "model-not-found",
        message: expect.stringContaining("several models"),
      });
      expect(error.details.nearest[0]).toContain("llama4");
      expect(error.details.nearest.at(-1)).toContain("llama3-8b");
    }
    expect(emulated.routes().filter((route) => route.includes("converse"))).toEqual([]);
  });

  it("that only a model of embeddings has is that model, where it is not to answer", async () => {
    const emulated = await emulate();
    for (const args of [["quota"], ["models", "show"], ["models", "access"]]) {
      const { code, stderr } = await emulated.run([...args, "titan-embed-text-v2"]);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain("titan-embed-text-v2 is amazon.titan-embed-text-v2:0");
    }
    const set = await emulated.run(["models", "set", "titan-embed-text-v2"]);
    expect(set.code).toBe(6);
    expect(set.stderr).toContain("does not stream text");
    const chat = await emulated.run(["chat", "-m", "titan-embed-text-v2", "hi"]);
    expect(chat.stderr).toContain("There is no model 'titan-embed-text-v2'");
    for (const [name, says] of [
      ["--", "There is no model"],
      ["titan-embed", "There is no model"],
    ] as const) {
      const { code, stderr } = await emulated.run(["models", "show", "--", name]);
      expect(code, stderr).toBe(6);
      expect(stderr).toContain(says);
    }
  });

  it("of a legacy model leads to its successor, by one hint", async () => {
    const { code, stderr } = await (await emulate()).run(["chat", "-m", "Claude 3.7 Sonnet", "hi"]);
    expect(code).toBe(6);
    expect(stderr).toBe(
      `error: 'Claude 3.7 Sonnet' is ${LEGACY}, which AWS calls LEGACY.\n` +
        "hint: Ask its successor: openclaw chat --model us.anthropic.claude-sonnet-5\n",
    );
  });

  it("of a configured model of another server is that model", async () => {
    const emulated = await emulate();
    emulated.configure(
      '{ models: { providers: { corp: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "gpt-4o" }] } } } }',
    );
    const { stdout, stderr } = await emulated.run(["chat", "-m", "GPT-4o", "hi", "--dry-run", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ model: "gpt-4o", region: null });
    expect(stderr).toContain("GPT-4o is corp/gpt-4o");
  });

  it("that is no whole id is looked up in the list that is kept, and asked for anew where that does not know it", async () => {
    const emulated = await emulate();
    await emulated.run(["models", "list"]);
    const before = emulated.routes().length;
    await emulated.run(["chat", "-m", "opus", "hi"]);
    expect(emulated.routes().slice(before)).toEqual(["ConverseStream"]);
    await emulated.run(["chat", "-m", "nope", "hi"]);
    expect(emulated.routes().slice(before + 1)).not.toContain("ConverseStream");
  });
});

describe("a part of an id", () => {
  it("that is none of the region's is refused at once, with what can be called", async () => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["chat", "-m", "eu.opus", "hi"]);
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: `error: There is no model 'eu.opus'.\nhint: Did you mean ${OPUS}?\n`,
    });
    expect(emulated.routes()).not.toContain("ConverseStream");
  });

  it("with a geography that does not reach the model says what does", async () => {
    const { code, stderr } = await (await emulate()).run(["chat", "-m", "us.gpt-oss-20b", "hi"]);
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr:
        "error: 'us.gpt-oss-20b' is openai.gpt-oss-20b-1:0, which has no inference profile of that name in us-east-1.\n" +
        "hint: What it is called by there: openclaw chat --model openai.gpt-oss-20b-1:0\n",
    });
  });

  it("stays as it is where AWS may not be asked for its list", async () => {
    const emulated = await emulate();
    emulated.configure("{ models: { bedrockDiscovery: { enabled: false } } }");
    const { code } = await emulated.run(["chat", "-m", "amazon.nova-lite", "hi"]);
    expect(code).toBe(6);
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  });

  it("that is like no model's goes to AWS, which may have opened it today", async () => {
    const emulated = await emulate();
    await emulated.run(["models", "list"]);
    const before = emulated.routes().length;
    await emulated.run(["chat", "-m", "vendor.model-of-tomorrow", "hi"]);
    expect(emulated.routes().slice(before)).toContain("ConverseStream");
    expect(emulated.routes()[before]).toBe("ConverseStream");
  });
});

it.each(["bedrock/", "bedrock/converse/", "bedrock/invoke/", "bedrock:", "bedrock_converse:", "Bedrock/"])(
  "an id behind %s, as another program writes it, is that id",
  async (prefix) => {
    const emulated = await emulate();
    const asked = await emulated.run(["chat", "-m", `${prefix}${OPUS}`, "hi", "--json"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ model: OPUS });
    expect(asked.stderr).toBe("");
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  },
);

it.each(["bedrock/", "bedrock/converse/", "amazon-bedrock/", ""])(
  "an id behind a region, as in %sus-west-2/ID, is refused with the flag that takes the region",
  async (prefix) => {
    const emulated = await emulate();
    const name = `${prefix}us-west-2/${OPUS}`;
    const hint = `Name the region beside it: openclaw chat --region us-west-2 -m ${OPUS}`;
    for (const command of [
      ["chat", "-m", name, "hi"],
      ["models", "set", name],
      ["chat", "-m", `${name},x`, "hi"],
    ]) {
      const { code, stderr } = await emulated.run(command);
      expect(stderr).toContain(`There is no model '${name}': its region is no part of its name.`);
      expect(stderr).toContain(hint);
      expect(code).toBe(6);
    }
    expect(emulated.routes()).not.toContain("ConverseStream");
    expect((await emulated.run(["chat", "--region", "us-west-2", "-m", OPUS, "hi"])).code).toBe(0);
  },
);

it("a provider that is called as other programs call Amazon Bedrock is that provider", async () => {
  const emulated = await emulate();
  emulated.configure(
    JSON.stringify({
      models: {
        providers: {
          bedrock: { api: "bedrock-converse-stream", models: [{ id: "amazon.nova-lite-v1:0", name: "Own" }] },
        },
      },
    }),
  );
  const { stdout } = await emulated.run(["models", "show", "bedrock/amazon.nova-lite-v1:0", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ key: "bedrock/amazon.nova-lite-v1:0", name: "Own" });
});

it("a whole id asks for no list", async () => {
  const emulated = await emulate();
  await emulated.run(["chat", "-m", "amazon.nova-lite-v1:0", "hi"]);
  await emulated.run(["chat", "-m", "vendor.model-of-tomorrow-v1:0", "hi"]);
  expect(emulated.routes().filter((route) => route === "ConverseStream").length).toBe(2);
  expect(emulated.routes()[0]).toBe("ConverseStream");
});

describe.each([
  [
    "closed to those who do not use it",
    "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock",
  ],
  [
    "ended",
    "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
  ],
])("a model that AWS has %s", (_, message) => {
  it.each([
    [LEGACY, "us.anthropic.claude-sonnet-5"],
    [`us.${LEGACY}`, "us.anthropic.claude-sonnet-5"],
    ["us.anthropic.claude-sonnet-5", "us.anthropic.claude-sonnet-4-6"],
    ["anthropic.claude-3-opus-20240229-v1:0", OPUS],
  ])("%s: a living one of its family is told, not what was refused", async (id, successor) => {
    const emulated = await emulate({
      script: ({ route }) =>
        route === "ConverseStream" ? { error: { name: "ResourceNotFoundException", message } } : undefined,
    });
    const { code, stdout, stderr } = await emulated.run(["chat", "-m", id, "hi", "--json"]);
    expect(code).toBe(6);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "model-not-found",
      hint: `Ask its successor: openclaw chat --model ${successor}`,
      details: { nearest: [successor] },
    });
    expect(stderr.match(/hint:/g)).toHaveLength(1);
  });
});

it("models set stores the profile of a model that needs one, and says so", async () => {
  const emulated = await emulate();
  const { stdout, stderr, code } = await emulated.run(["models", "set", "anthropic.claude-opus-4-7"]);
  expect({ stdout, stderr, code }).toEqual({
    code: 0,
    stdout: "Default model: amazon-bedrock/us.anthropic.claude-opus-4-7\n",
    stderr:
      "openclaw: anthropic.claude-opus-4-7 is called through the inference profile us.anthropic.claude-opus-4-7\n",
  });
  expect(readFileSync(path.join(emulated.home, ".openclaw", "openclaw.json"), "utf8")).toContain(
    "amazon-bedrock/us.anthropic.claude-opus-4-7",
  );
  expect((await emulated.run(["chat", "hi"])).stderr).toBe("");
});

describe("a provider without a model behind it", () => {
  it.each(["lab/", "lab/ ", "amazon-bedrock/", "amazon-bedrock-mantle/"])(
    "%j is told so, and nobody is asked",
    async (name) => {
      const emulated = await emulate();
      emulated.configure(
        JSON.stringify({ models: { providers: { lab: { baseUrl: "http://127.0.0.1:9/v1" } } } }),
      );
      for (const command of [
        ["chat", "-m", name, "hi"],
        ["models", "show", name],
        ["models", "set", name],
      ]) {
        const { code, stderr } = await emulated.run(command);
        expect({ code, stderr }).toEqual({
          code: 6,
          stderr: `error: '${name.trim()}' names a provider and no model of it.\nhint: List the models you can call: openclaw models list\n`,
        });
      }
      expect(emulated.routes()).toEqual([]);
    },
  );
});
