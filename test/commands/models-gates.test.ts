import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Gate } from "../../src/discovery/judge-access.ts";
import type { EmulatedGate } from "../../src/emulator/emulator.ts";
import type { PolicyDocument } from "../../src/iam/policy.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { allows } from "../helpers/iam.ts";
import { openPty, type Pty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";
import { USE_CASE_FORM } from "../helpers/use-case-form.ts";

const CLAUDE = "anthropic.claude-sonnet-4-6";
const FABLE = "anthropic.claude-fable-5";
const WRITES = /^(Put|Create)/;

interface Document {
  id: string;
  region: string;
  callable: boolean | null;
  gates: Gate[];
  opened: { gate: string; waitMinutes: number } | null;
  warnings: { code: string; message: string }[];
}

const account = (...closedGates: EmulatedGate[]): Promise<Emulated> => emulate({ closedGates });

async function gatesOf(emulated: Emulated, model: string, ...more: string[]): Promise<Document> {
  const { stdout, code } = await emulated.run(["models", "access", model, "--json", ...more]);
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as Document;
  expectSchema("models-access", document);
  return document;
}

const gate = ({ gates }: Document, name: string): Gate | undefined =>
  gates.find((other) => other.name === name);

function writeForm({ home }: Emulated, form: unknown = USE_CASE_FORM): string {
  const file = path.join(home, "form.json");
  writeFileSync(file, typeof form === "string" ? form : JSON.stringify(form));
  return file;
}

const writes = ({ routes }: Emulated): string[] => routes().filter((route) => WRITES.test(route));

describe("models access", () => {
  it.each<[EmulatedGate, string, string]>([
    ["region", CLAUDE, `openclaw models access ${CLAUDE} --region us-west-2`],
    ["authorization", CLAUDE, "AWS Support"],
    ["entitlement", CLAUDE, "Request access"],
    ["form", CLAUDE, `openclaw models access ${CLAUDE} --submit-form FILE --region us-east-1`],
    ["agreement", CLAUDE, `openclaw models access ${CLAUDE} --accept-agreement --region us-east-1`],
    ["retention", FABLE, `openclaw models access ${FABLE} --retention aws_review --region us-east-1`],
  ])("says that the %s is closed, and what opens it, as chat and doctor do", async (name, model, hint) => {
    const emulated = await account(name);
    const document = await gatesOf(emulated, `us.${model}`);
    expect(document).toMatchObject({ id: model, region: "us-east-1", opened: null, warnings: [] });
    expect(document.callable).toBe(name === "agreement");
    expect(gate(document, name)?.status).toBe(name === "agreement" ? "on-first-call" : "closed");
    expect(gate(document, name)?.hint).toContain(hint);
    const chat = await emulated.run(["chat", "-m", `us.${model}`, "hi", "--json"]);
    if (name === "region") return;
    expect(chat.code).toBe(4);
    const { error } = JSON.parse(chat.stdout) as { error: { hint: string; details: { gate?: string } } };
    // AWS's refusal of what is not entitled does not say why.
    if (name !== "entitlement") expect(error.details.gate).toBe(name);
    if (hint.startsWith("openclaw")) expect(error.hint).toContain(hint.replace(model, `us.${model}`));
    emulated.configure(JSON.stringify({ agents: { defaults: { model: `us.${model}` } } }));
    const doctor = await emulated.run(["doctor", "--json"]);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; hint?: string }[] };
    expect(checks.find(({ id }) => id === "model-access")?.hint).toContain(hint);
  });

  it("shows an open model, in a pipe a gate a line", async () => {
    const emulated = await account();
    const document = await gatesOf(emulated, CLAUDE);
    expect(document.callable).toBe(true);
    expect(document.gates.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "region open",
      "authorization open",
      "form open",
      "entitlement open",
      "agreement open",
      "retention open",
      "quota open",
    ]);
    const { stdout } = await emulated.run(["models", "access", CLAUDE]);
    expect(stdout.split("\n")[0]).toBe("region\topen\tAVAILABLE\tthe model is offered in us-east-1\t");
    const nova = await gatesOf(emulated, "amazon.nova-lite-v1:0");
    expect(gate(nova, "form")?.status).toBe("not-needed");
    expect(writes(emulated)).toEqual([]);
  });

  it.each([
    [CLAUDE, "us.", "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6"],
    ["amazon.nova-lite-v1:0", "", "On-demand model inference requests per minute for Amazon Nova Lite"],
  ])(
    "says that a quota of 0 lets nothing through to %s, and how to ask for more",
    async (id, prefix, name) => {
      const emulated = await emulate({ quotas: { [name]: 0 } });
      const document = await gatesOf(emulated, `${prefix}${id}`);
      expect(document.callable).toBe(false);
      expect(gate(document, "quota")).toMatchObject({
        status: "closed",
        detail: expect.stringContaining(name),
      });
      expect(gate(document, "quota")?.hint).toMatch(
        /aws service-quotas request-service-quota-increase .*--quota-code L-\w+ .*--region us-east-1|support/,
      );
      const open = await gatesOf(emulated, "amazon.nova-micro-v1:0");
      expect(gate(open, "quota")).toMatchObject({
        status: "open",
        detail: expect.stringContaining("a minute"),
      });
    },
  );

  it("goes without the quota where that may not be looked up, and names the action", async () => {
    const message = "User: u is not authorized to perform: servicequotas:ListServiceQuotas";
    const emulated = await emulate({
      script: ({ route }) =>
        route === "ListServiceQuotas"
          ? { error: { name: "AccessDeniedException", status: 400, message } }
          : undefined,
    });
    const document = await gatesOf(emulated, CLAUDE);
    expect(document).toMatchObject({ callable: true, warnings: [] });
    expect(gate(document, "quota")?.status).toBe("unknown");
    expect(gate(document, "quota")?.detail).toContain("servicequotas:ListServiceQuotas");
  });

  it("waits for Service Quotas for 5 seconds at most", async () => {
    const emulated = await emulate({
      script: ({ route }) => (route === "ListServiceQuotas" ? { drop: "stall" } : undefined),
    });
    const document = await gatesOf(emulated, CLAUDE);
    expect(document.callable).toBe(true);
    expect(gate(document, "quota")?.detail).toContain("within 5 seconds");
  }, 20_000);

  it("looks at the default model where none is named", async () => {
    const emulated = await account();
    expect((await emulated.run(["models", "access"])).code).toBe(3);
    emulated.configure(JSON.stringify({ agents: { defaults: { model: CLAUDE } } }));
    expect((await emulated.run(["models", "access", "--json"])).stdout).toContain(`"id":"${CLAUDE}"`);
  });

  it("calls a gate whose question is denied unknown, and names the action", async () => {
    const message = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: bedrock:X";
    const denied = { error: { name: "AccessDeniedException", status: 403, message } };
    const emulated = await emulate({
      script: ({ route }) =>
        /^Get(Use|Account)/.test(route)
          ? { error: { ...denied.error, message: message.replace("X", route) } }
          : undefined,
    });
    const document = await gatesOf(emulated, CLAUDE);
    expect(document.callable).toBe(true);
    expect(gate(document, "form")?.status).toBe("unknown");
    expect(document.warnings.map(({ message: said }) => said).join()).toMatch(
      /bedrock:GetUseCaseForModelAccess.*bedrock:GetAccountDataRetention/,
    );
  });

  it("ends as any command does without credentials, and for what is no model of Bedrock", async () => {
    const emulated = await account();
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    expect((await emulated.run(["models", "access", CLAUDE], { env: none })).code).toBe(4);
    expect((await emulated.run(["models", "access", "anthropic.claude-none-1"])).code).toBe(6);
    emulated.configure('{ models: { providers: { local: { baseUrl: "http://127.0.0.1:1/v1" } } } }');
    const other = await emulated.run(["models", "access", "local/llama"]);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("no model of Amazon Bedrock") });
  });
});

it.each(["bedrock-converse-stream", "anthropic-messages"])(
  "a refusal by %s names the gate and the command",
  async (api) => {
    const emulated = await account("form");
    emulated.configure(JSON.stringify({ models: { providers: { "amazon-bedrock": { api } } } }));
    const { code, stdout } = await emulated.run(["chat", "-m", `us.${CLAUDE}`, "hi", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: "model-access",
        hint: expect.stringContaining(`openclaw models access us.${CLAUDE} --submit-form FILE`),
        details: { gate: "form" },
      },
    });
    const route = api === "anthropic-messages" ? "Messages" : "ConverseStream";
    expect(emulated.routes().filter((called) => called === route)).toHaveLength(1);
  },
);

it("a refusal of embeddings names the gate and the command", async () => {
  const emulated = await account("agreement");
  const { code, stdout } = await emulated.run(["embed", "-m", "cohere.embed-v4:0", "hi", "--json"]);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: "model-access", hint: expect.stringContaining("--accept-agreement") },
  });
});

it("repeats the flags of the command in what opens the gate", async () => {
  const emulated = await account("agreement");
  const config = path.join(emulated.home, "other.json");
  writeFileSync(config, "{}");
  const flags = ["--config", config, "--region", "eu-west-1"];
  const opening = `openclaw models access --config ${config} eu.${CLAUDE} --accept-agreement --region eu-west-1`;
  const chat = await emulated.run(["chat", "-m", `eu.${CLAUDE}`, "hi", ...flags]);
  expect(chat.stderr).toContain(opening);
  const show = await emulated.run(["models", "show", `eu.${CLAUDE}`, "--access", ...flags]);
  expect(show.stdout).toContain(opening.replace("eu.anthropic", "anthropic"));
});

describe("opening a gate", () => {
  it.each([
    [["--accept-agreement"], "--accept-agreement --yes"],
    [["--submit-form", "FORM"], "--submit-form"],
    [["--retention", "aws_review"], "--retention aws_review --yes"],
  ])("%j needs a yes, which a pipe says with --yes", async (flags, hint) => {
    const emulated = await account("form", "agreement", "retention");
    const given = flags.map((flag) => (flag === "FORM" ? writeForm(emulated) : flag));
    const { code, stderr, stdout } = await emulated.run(["models", "access", CLAUDE, ...given]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
    expect(stderr).toContain("--yes");
    expect(emulated.routes()).toEqual([]);
  });

  it("sends the form with --yes, and says before what is shared with whom", async () => {
    const emulated = await account("form");
    const chat = ["chat", "-m", `us.${CLAUDE}`, "hi"];
    expect((await emulated.run(chat)).code).toBe(4);
    const { code, stderr, stdout } = await emulated.run([
      "models",
      "access",
      CLAUDE,
      "--submit-form",
      writeForm(emulated),
      "--yes",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /sends the use-case form to AWS for Anthropic[^]*companyName: Example[^]*is submitted/,
    );
    expect(stderr).toContain("15 minutes");
    const document = JSON.parse(stdout) as Document;
    expectSchema("models-access", document);
    expect(document).toMatchObject({ callable: true, opened: { gate: "form", waitMinutes: 15 } });
    const put = emulated.emulator.calls.find(({ route }) => route === "PutUseCaseForModelAccess");
    const body = put?.body as { formData: string } | undefined;
    expect(JSON.parse(Buffer.from(body?.formData ?? "", "base64").toString())).toEqual(USE_CASE_FORM);
    expect((await emulated.run(chat)).code).toBe(0);
    const again = await emulated.run([
      "models",
      "access",
      CLAUDE,
      "--submit-form",
      writeForm(emulated),
      "--yes",
    ]);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing was sent") });
    expect(writes(emulated)).toEqual(["PutUseCaseForModelAccess"]);
  });

  it("takes the form from stdin", async () => {
    const emulated = await account("form");
    const args = ["models", "access", CLAUDE, "--submit-form", "-", "--yes"];
    expect((await emulated.run(args, { input: JSON.stringify(USE_CASE_FORM) })).code).toBe(0);
    expect(writes(emulated)).toEqual(["PutUseCaseForModelAccess"]);
  });

  it.each<[string, unknown, string]>([
    ["is no JSON", "companyName: x", "no JSON"],
    ["is a list", "[]", "no JSON object"],
    ["lacks a field", { ...USE_CASE_FORM, useCases: undefined }, "'useCases'"],
    ["has a field of spaces", { ...USE_CASE_FORM, companyName: " " }, "'companyName'"],
    ["has another field", { ...USE_CASE_FORM, companyname: "x" }, "It takes companyName"],
    ["has words for a number", { ...USE_CASE_FORM, intendedUsers: "internal" }, "0 (internal)"],
    ["has a text too long", { ...USE_CASE_FORM, companyWebsite: "x".repeat(129) }, "at most 128"],
    ["has a list for a text", { ...USE_CASE_FORM, useCases: ["a"] }, "'useCases'"],
    ["is the template", undefined, "is not filled in"],
  ])("refuses a form that %s, and asks nobody", async (_, form, says) => {
    const emulated = await account("form");
    const template = await emulated.run(["models", "access", "--form-template"]);
    const file = writeForm(emulated, form ?? template.stdout);
    const { code, stderr } = await emulated.run(["models", "access", CLAUDE, "--submit-form", file, "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(emulated.routes()).toEqual([]);
  });

  it("prints a template that is a form once it is filled in", async () => {
    const emulated = await account("form");
    const { stdout } = await emulated.run(["models", "access", "--form-template"]);
    expectSchema("models-access", JSON.parse(stdout));
    const filled = { ...(JSON.parse(stdout) as object), ...USE_CASE_FORM, intendedUsers: 2 };
    const file = writeForm(emulated, filled);
    await gatesOf(emulated, CLAUDE, "--submit-form", file, "--yes");
    expect(writes(emulated)).toEqual(["PutUseCaseForModelAccess"]);
  });

  it("accepts the agreement with --yes, after the terms and prices of the offer", async () => {
    const emulated = await account("agreement");
    const { stderr, code } = await emulated.run(["models", "access", CLAUDE, "--accept-agreement", "--yes"]);
    expect(code).toBe(0);
    expect(stderr).toContain("AWS Marketplace");
    expect(stderr).toContain("https://aws.amazon.com/legal/bedrock/third-party-models/");
    expect(stderr).toContain("InputTokenCount $0.003 per 1K tokens");
    expect(stderr).toContain("up to 15 minutes");
    expect(writes(emulated)).toEqual(["CreateFoundationModelAgreement"]);
    const nova = await emulated.run(["models", "access", "nova-lite", "--accept-agreement", "--yes"]);
    expect(nova).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing was sent") });
    expect(writes(emulated)).toHaveLength(1);
  });

  it("sends the form before the agreement", async () => {
    const emulated = await account("form", "agreement");
    const { code, stderr } = await emulated.run(["models", "access", CLAUDE, "--accept-agreement", "--yes"]);
    expect(code).toBe(4);
    expect(stderr).toContain("--submit-form FILE");
    expect(writes(emulated)).toEqual([]);
  });

  it("switches data retention of the region with --yes, and says what is kept then", async () => {
    const emulated = await account("retention");
    const flags = ["--retention", "aws_review", "--yes", "--region", "eu-west-1"];
    const { code, stderr } = await emulated.run(["models", "access", FABLE, ...flags]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /in eu-west-1 from inherit to aws_review: AWS may keep prompts[^]*in eu-west-1 now/,
    );
    expect(gate(await gatesOf(emulated, FABLE, "--region", "eu-west-1"), "retention")?.status).toBe("open");
    expect(gate(await gatesOf(emulated, FABLE), "retention")?.status).toBe("closed");
    const again = await emulated.run(["models", "access", FABLE, ...flags]);
    expect(again.stderr).toContain("nothing was changed");
    expect(writes(emulated)).toEqual(["PutAccountDataRetention"]);
  });

  it.each([
    [["--retention", "all"], "'all'"],
    [["--accept-agreement", "--retention", "none"], "one at a time"],
    [["--yes"], "says yes to nothing"],
    [["--submit-form", "no-such-file.json", "--yes"], "--form-template"],
  ])("refuses %j", async (flags, says) => {
    const emulated = await account("form");
    const { code, stderr } = await emulated.run(["models", "access", CLAUDE, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(writes(emulated)).toEqual([]);
  });

  it("wants no form for a model that has none", async () => {
    const emulated = await account("form");
    const { code, stderr } = await emulated.run([
      "models",
      "access",
      "amazon.nova-lite-v1:0",
      "--submit-form",
      writeForm(emulated),
      "--yes",
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("wants no use-case form");
  });

  it("tells why AWS refuses to open a gate", async () => {
    const message =
      "User: arn:aws:iam::123456789012:user/u is not authorized to perform: bedrock:PutAccountDataRetention";
    const emulated = await emulate({
      closedGates: ["retention"],
      script: ({ route }) =>
        route === "PutAccountDataRetention"
          ? { error: { name: "AccessDeniedException", status: 403, message } }
          : undefined,
    });
    const args = ["models", "access", FABLE, "--retention", "none", "--yes", "--json"];
    const { code, stdout } = await emulated.run(args);
    expect(code).toBe(4);
    expect(stdout).toContain("bedrock:PutAccountDataRetention");
  });

  it("goes on finding a closed model by its name, and names the gate where it is to be called", async () => {
    const emulated = await account("retention");
    for (let time = 0; time < 2; time += 1)
      expect((await gatesOf(emulated, "claude-fable-5")).id).toBe(FABLE);
    const shown = await emulated.run(["models", "show", "claude-fable-5", "--access", "--json"]);
    expectSchema("models-show", JSON.parse(shown.stdout));
    expect(shown.stdout).toContain('"gate":"retention"');
    const { code, stderr } = await emulated.run(["chat", "-m", "claude-fable-5", "hi"]);
    expect(code).toBe(4);
    expect(stderr).toContain(`openclaw models access ${FABLE} --retention aws_review --region us-east-1`);
  });

  it("forgets what the list has kept of the gate", async () => {
    const emulated = await account("form");
    const access = async (): Promise<string> =>
      (await emulated.run(["models", "list", "--access", "--search", CLAUDE])).stdout;
    expect(await access()).toContain("form-missing");
    await gatesOf(emulated, CLAUDE, "--submit-form", writeForm(emulated), "--yes");
    expect(await access()).not.toContain("form-missing");
  });
});

describe("at a terminal", () => {
  const ask = ({ home, env }: Emulated, ...args: string[]): Pty =>
    openPty(["models", "access", ...args], home, { env: { ...env, NO_COLOR: "1" }, cwd: home });

  it("opens the gate once yes is typed behind what is shared", async () => {
    const emulated = await account("agreement");
    const screen = ask(emulated, CLAUDE, "--accept-agreement");
    const seen = await screen.see("Type yes to accept them:");
    expect(seen.indexOf("AWS Marketplace")).toBeLessThan(seen.indexOf("Type yes"));
    expect(writes(emulated)).toEqual([]);
    screen.type("yes\r");
    expect(await screen.exit).toBe(0);
    expect(writes(emulated)).toEqual(["CreateFoundationModelAgreement"]);
  });

  it.each([
    ["no", "no\r", 2],
    ["Enter alone", "\r", 2],
    ["y, which is too quick", "y\r", 2],
    ["the end of the input", "\u0004", 2],
    ["Ctrl-C", "\u0003", 130],
  ])("sends nothing after %s", async (_, typed, code) => {
    const emulated = await account("retention");
    const screen = ask(emulated, FABLE, "--retention", "aws_review");
    await screen.see("Type yes to switch it:");
    screen.type(typed);
    expect(await screen.exit).toBe(code);
    expect(writes(emulated)).toEqual([]);
  });
});

it("serve tells of a closed gate in words of a server, without flags", async () => {
  const { toErrorAnswer } = await import("../../src/serve/error-answer.ts");
  const { OpenclawError } = await import("../../src/errors.ts");
  const error = new OpenclawError("model-access", {
    message: "Model 'm' is closed.",
    hint: "openclaw models access m --submit-form FILE",
    details: { gate: "form" },
  });
  const { message, status } = toErrorAnswer(error);
  expect(status).toBe(403);
  expect(message).toContain("Tell whoever runs this server");
  expect(message).not.toMatch(/--|openclaw/);
});

it("takes no older model for one that is closed as all of its vendor's are", async () => {
  const emulated = await account("form");
  await gatesOf(emulated, "opus");
  const { code, stderr } = await emulated.run(["chat", "-m", "opus", "hi"]);
  expect(code).toBe(4);
  expect(stderr).toContain("opus is us.anthropic.claude-opus-4-8");
  expect(stderr).toContain("--submit-form FILE");
});

it("is allowed by `iam policy --for access`, also for a part of a name, and no more is", async () => {
  const emulated = await account("agreement");
  const { stdout } = await emulated.run(["iam", "policy", "--for", "access"]);
  const policy = JSON.parse(stdout) as PolicyDocument;
  emulated.emulator.calls.length = 0;
  await emulated.run(["models", "access", "opus", "--accept-agreement", "--yes"]);
  const needed = emulated.emulator.calls.flatMap(({ permissions }) => permissions);
  expect(needed.map(({ action }) => action)).toContain("bedrock:ListFoundationModels");
  for (const permission of needed) expect(allows(policy, permission), permission.action).toBe(true);
  expect(stdout).not.toContain("cloudwatch:");
});

it("asks about the gates of a model that is listed and not offered, and suggests no other", async () => {
  const emulated = await account("region");
  const { code, stdout } = await emulated.run(["chat", "-m", `us.${CLAUDE}`, "hi", "--json"]);
  expect(code).toBe(6);
  const { error } = JSON.parse(stdout) as { error: { hint: string } };
  expect(error.hint).toContain(`openclaw models access us.${CLAUDE} --region us-east-1`);
});

it("names the gates of a model for embeddings, too", async () => {
  const emulated = await account("region");
  const { code, stderr } = await emulated.run(["embed", "-m", "amazon.titan-embed-text-v2:0", "hi"]);
  expect(code).toBe(6);
  const [, command = ""] = /^hint: See which gate is closed: openclaw (.*)$/m.exec(stderr) ?? [];
  expect(command).toBe("models access amazon.titan-embed-text-v2:0 --region us-east-1");
  const { stdout } = await emulated.run(command.split(" "));
  expect(stdout).toMatch(/^region\tclosed/);
});
