import { describe, expect, it } from "vitest";
import type { Access } from "../../src/discovery/access.ts";
import type { ListedModel } from "../../src/models/list.ts";
import type { RecordedCall, ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { emptyEnvironment, pathWithOpenclaw, type RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { showOnScreen } from "../helpers/screen.ts";

type Model = ListedModel & { access?: Access };

interface Document {
  models: Model[];
  warnings: { code: string; message: string }[];
}

const AVAILABILITY = "GetFoundationModelAvailability";
const open = {
  agreementAvailability: { status: "AVAILABLE" },
  authorizationStatus: "AUTHORIZED",
  entitlementAvailability: "AVAILABLE",
  regionAvailability: "AVAILABLE",
};
const json = (body: object): ScriptedAnswer => ({ http: { status: 200, body } });
const denied: ScriptedAnswer = {
  error: {
    name: "AccessDeniedException",
    status: 403,
    message:
      "User: arn:aws:iam::123456789012:user/u is not authorized to perform: bedrock:GetFoundationModelAvailability " +
      "because no identity-based policy allows the bedrock:GetFoundationModelAvailability action",
  },
};

/** What AWS says about four models; everything else is open. */
const SAID: Readonly<Record<string, object>> = {
  "amazon.nova-pro-v1:0": { ...open, entitlementAvailability: "NOT_AVAILABLE" },
  "amazon.nova-lite-v1:0": { ...open, authorizationStatus: "NOT_AUTHORIZED" },
  "meta.llama3-3-70b-instruct-v1:0": { ...open, agreementAvailability: { status: "NOT_AVAILABLE" } },
  "anthropic.claude-sonnet-4-6": { ...open, agreementAvailability: { status: "NOT_AVAILABLE" } },
};

function answer({ route, path, parameters }: RecordedCall): ScriptedAnswer | undefined {
  if (route === AVAILABILITY) {
    const said = SAID[parameters["modelId"] ?? ""];
    return said && json(said);
  }
  // Anthropic's use-case form.
  if (path === "/use-case-for-model-access")
    return {
      error: {
        name: "ResourceNotFoundException",
        status: 404,
        message: "You have not filled out the request form",
      },
    };
  return undefined;
}

async function list(emulated: Emulated, args: string[] = [], options: RunOptions = {}): Promise<Document> {
  const { stdout, code } = await emulated.run(["models", "list", "--access", "--json", ...args], options);
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as Document;
  expectSchema("models-list", document);
  return document;
}

const accessOf = ({ models }: Document, id: string): Access | undefined =>
  models.find((model) => model.id === id)?.access;
const asked = (emulated: Emulated): string[] =>
  emulated.emulator.calls
    .filter(({ route }) => route === AVAILABILITY)
    .map(({ parameters }) => parameters["modelId"] ?? "");

describe("models list --access", () => {
  it("says which models this identity can call, and why not the others, through profiles too", async () => {
    const document = await list(await emulate({ script: answer }));
    expect(accessOf(document, "amazon.nova-micro-v1:0")).toMatchObject({
      status: "available",
      callable: true,
      reason: null,
      agreement: "AVAILABLE",
    });
    for (const id of ["amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"])
      expect(accessOf(document, id)).toMatchObject({
        status: "not-entitled",
        callable: false,
        entitlement: "NOT_AVAILABLE",
      });
    expect(accessOf(document, "us.amazon.nova-lite-v1:0")).toMatchObject({
      status: "not-authorized",
      callable: false,
    });
    expect(accessOf(document, "us.meta.llama3-3-70b-instruct-v1:0")).toMatchObject({
      status: "on-first-call",
      callable: true,
    });
    expect(accessOf(document, "us.anthropic.claude-sonnet-4-6")).toMatchObject({
      status: "form-missing",
      callable: false,
    });
    expect(document.models.every(({ access }) => access !== undefined)).toBe(true);
    expect(document.warnings).toEqual([]);
  });

  it("is not asked, and not shown, without the flag", async () => {
    const emulated = await emulate();
    const { stdout } = await emulated.run(["models", "list", "--json"]);
    expect((JSON.parse(stdout) as Document).models.some((model) => "access" in model)).toBe(false);
    expect(asked(emulated)).toEqual([]);
  });

  it("asks once for each foundation model that is listed, at most eight at a time", async () => {
    let running = 0;
    let most = 0;
    const emulated = await emulate({
      script: ({ route }) => {
        if (route !== AVAILABILITY) return undefined;
        running += 1;
        most = Math.max(most, running);
        return { pass: true, after: 20 };
      },
      onAnswer: ({ route }) => {
        if (route === AVAILABILITY) running -= 1;
      },
    });
    const document = await list(emulated, ["--provider", "amazon", "--provider", "anthropic"]);
    const ids = asked(emulated);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeLessThan(document.models.length);
    expect(ids.every((id) => /^(amazon|anthropic)\./.test(id))).toBe(true);
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(8);
  });

  it("keeps the answers as long as the list, for every selection, and asks again with --refresh", async () => {
    const emulated = await emulate({ script: answer });
    await list(emulated, ["--provider", "amazon"]);
    const first = asked(emulated).length;
    await list(emulated, ["--search", "nova"]);
    expect(asked(emulated)).toHaveLength(first);
    await list(emulated, ["--provider", "amazon", "--provider", "meta"]);
    const second = asked(emulated);
    expect(second.slice(first).every((id) => id.startsWith("meta."))).toBe(true);
    await list(emulated, ["--provider", "amazon", "--refresh"]);
    expect(asked(emulated).length).toBe(second.length + first);
    emulated.configure("{ models: { bedrockDiscovery: { refreshInterval: 0 } } }");
    await list(emulated, ["--search", "nova-micro"]);
    expect(asked(emulated).length).toBe(second.length + first + 1);
  });

  it("makes one set of questions for processes that ask at once", async () => {
    const emulated = await emulate();
    await Promise.all(Array.from({ length: 6 }, () => list(emulated)));
    expect(new Set(asked(emulated)).size).toBe(asked(emulated).length);
  }, 60_000);

  it("never asks with --offline, and shows what is kept", async () => {
    const emulated = await emulate({ script: answer });
    await list(emulated, ["--search", "nova-pro"]);
    const calls = emulated.emulator.calls.length;
    const document = await list(emulated, ["--offline"]);
    expect(accessOf(document, "amazon.nova-pro-v1:0")).toMatchObject({ status: "not-entitled" });
    expect(accessOf(document, "amazon.nova-micro-v1:0")).toMatchObject({ status: "unknown", callable: null });
    expect(emulated.emulator.calls).toHaveLength(calls);
  });

  it("shows the list all the same when the question is denied, with one warning", async () => {
    const document = await list(
      await emulate({ script: ({ route }) => (route === AVAILABILITY ? denied : undefined) }),
    );
    expect(new Set(document.models.map(({ access }) => access?.status))).toEqual(new Set(["unknown"]));
    expect(document.warnings).toHaveLength(1);
    expect(document.warnings[0]).toMatchObject({ code: "access-denied" });
    expect(document.warnings[0]?.message).toMatch(
      /^Access to \d+ models could not be asked: .*GetFoundationModelAvailability/,
    );
  });

  it("gives up after the first failures when AWS cannot be reached", async () => {
    const emulated = await emulate({
      script: ({ route }) => (route === AVAILABILITY ? { drop: "reset" } : undefined),
    });
    const document = await list(emulated, [], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(new Set(document.models.map(({ access }) => access?.status))).toEqual(new Set(["unknown"]));
    expect(asked(emulated).length).toBeLessThanOrEqual(8);
    expect(document.warnings).toMatchObject([{ code: "network" }]);
  });

  it("calls access to what AWS does not list unknown", async () => {
    const emulated = await emulate();
    const router = "arn:aws:bedrock:us-east-1:123456789012:prompt-router/ab12cd34ef56";
    emulated.configure(`{ models: { providers: { "amazon-bedrock": { models: [{ id: "${router}" }] } } } }`);
    expect(accessOf(await list(emulated), router)).toMatchObject({ status: "unknown", callable: null });
  });

  it("prints it last in a pipe, and as a column with the reasons below on a terminal of 80 columns", async () => {
    const emulated = await emulate({ script: answer });
    const piped = await emulated.run(["models", "list", "--access", "--search", "us.amazon.nova-pro"]);
    expect(piped.stdout).toMatch(
      /^amazon-bedrock\/us\.amazon\.nova-pro-v1:0\tUS Nova Pro\t.*\tnot-entitled\n$/,
    );
    const { lines } = await showOnScreen("openclaw models list --access --provider amazon", {
      env: {
        ...emptyEnvironment(emulated.home, emulated.env),
        NO_COLOR: "1",
        PATH: pathWithOpenclaw(emulated.home),
      },
      cwd: emulated.home,
      columns: 80,
    });
    const text = lines.join("\n");
    expect(text).toMatch(/^us\.amazon\.nova-pro-v1:0 +no entitlement/m);
    expect(text).toMatch(/^amazon\.nova-micro-v1:0 +yes/m);
    expect(text).toContain("3 models: it has no entitlement (entitlement).");
    expect(text).toContain("Request access in the Bedrock console");
  });
});

it("models show --access asks about that one model", async () => {
  const emulated = await emulate({ script: answer });
  const { stdout } = await emulated.run(["models", "show", "us.amazon.nova-pro-v1:0", "--access", "--json"]);
  const document = JSON.parse(stdout) as Model;
  expectSchema("models-show", document);
  expect(document.access).toMatchObject({ status: "not-entitled" });
  expect(asked(emulated)).toEqual(["amazon.nova-pro-v1:0"]);
  const text = await emulated.run(["models", "show", "us.amazon.nova-pro-v1:0", "--access"]);
  expect(text.stdout).toMatch(
    /^access +not entitled: it has no entitlement \(entitlement\)\. Request access/m,
  );
});

describe("models list --sort", () => {
  it.each<[string, (model: Model) => number | string, "up" | "down"]>([
    ["name", ({ name }) => name.toLowerCase(), "up"],
    ["provider", ({ provider }) => provider.toLowerCase(), "up"],
    ["context", ({ contextWindow }) => contextWindow, "down"],
    ["max-output", ({ maxTokens }) => maxTokens ?? 0, "down"],
    ["price-in", ({ cost }) => cost?.input ?? Number.POSITIVE_INFINITY, "up"],
    ["price-out", ({ cost }) => cost?.output ?? Number.POSITIVE_INFINITY, "up"],
  ])("by %s", async (field, valueOf, direction) => {
    const emulated = await emulate();
    const { stdout } = await emulated.run(["models", "list", "--json", "--sort", field]);
    const values = (JSON.parse(stdout) as Document).models.map(valueOf);
    const expected = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    expect(values).toEqual(direction === "up" ? expected : expected.toReversed());
    expect(new Set(values).size).toBeGreaterThan(3);
  });

  it("refuses another field, naming it", async () => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["models", "list", "--sort", "colour"]);
    expect(code).toBe(2);
    expect(stderr).toContain("'colour'");
    expect(stderr).toContain("price-in");
    expect(emulated.routes()).toEqual([]);
  });
});
