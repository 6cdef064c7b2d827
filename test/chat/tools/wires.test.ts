import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../src/config/settings.ts";
import type { Dialogue, Emulator } from "../../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { isRunning } from "../../helpers/is-running.ts";
import { chunk, events, type OpenaiReply, openaiServer, says } from "../../helpers/openai-server.ts";
import { createHome, openclaw, writeConfig } from "../../helpers/openclaw.ts";
import { PIXEL } from "../../helpers/pixel.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const OSS = "openai.gpt-oss-120b-1:0";
const LUNA = "us.openai.gpt-5.6-luna";
type Api = "openai-completions" | "openai-responses" | "anthropic-messages";
type Providers = NonNullable<NonNullable<Configuration["models"]>["providers"]>;

/** A way from the program to a model of the emulator. */
interface Wire {
  name: string;
  /** What the calls of the model are at the emulator. */
  route: string;
  model: string;
  providers: (emulator: Emulator) => Providers;
  /** What a request has where a result says by a field that the tool failed. */
  failed?: string;
  /** What the wire has of signed reasoning that goes back. */
  signed?: string;
  readsImages: boolean;
}

const overAws = (api: Api) => (): Providers => ({ "amazon-bedrock": { api } });
const atServer =
  (api: Api, id: string, place: string) =>
  ({ url, bearerToken }: Emulator): Providers => ({
    lab: { api, baseUrl: `${url}${place}`, apiKey: bearerToken, models: [{ id, input: ["text", "image"] }] },
  });
const messages = { route: "Messages", failed: '"is_error":true', signed: '"signature":"', readsImages: true };
const responses = { route: "Responses", signed: '"encrypted_content":"gAAAAA', readsImages: true };

const WIRES: readonly Wire[] = [
  {
    name: "Converse",
    route: "ConverseStream",
    model: CLAUDE,
    providers: () => ({}),
    failed: '"status":"error"',
    signed: '"signature":"',
    readsImages: true,
  },
  {
    name: "Converse, of a model that reads no images",
    route: "ConverseStream",
    model: OSS,
    providers: () => ({}),
    readsImages: false,
  },
  { name: "Messages of Bedrock", ...messages, model: CLAUDE, providers: overAws("anthropic-messages") },
  {
    name: "Messages of a server",
    ...messages,
    model: `lab/${CLAUDE}`,
    providers: atServer("anthropic-messages", CLAUDE, "/anthropic"),
  },
  {
    name: "chat completions of Bedrock",
    route: "ChatCompletions",
    model: OSS,
    providers: overAws("openai-completions"),
    readsImages: false,
  },
  {
    name: "chat completions of a server",
    route: "ChatCompletions",
    model: `lab/${OSS}`,
    providers: atServer("openai-completions", OSS, "/openai/v1"),
    readsImages: true,
  },
  { name: "Responses of Bedrock", ...responses, model: LUNA, providers: overAws("openai-responses") },
  {
    name: "Responses of a server",
    ...responses,
    model: `lab/${LUNA}`,
    providers: atServer("openai-responses", LUNA, "/openai/v1"),
  },
];

const sh = (script: string) => ({
  description: "Does something.",
  command: ["sh", "-c", script],
  input: { type: "object", properties: { word: { type: "string" } } },
});

const TOOLS = {
  say: sh("cat"),
  // Ends only when all three have begun, the first of them last.
  together: sh(
    `word=$(sed 's/.*"word":"\\([a-z]*\\)".*/\\1/'); touch "begun-$word"
     until [ -e begun-a ] && [ -e begun-b ] && [ -e begun-c ]; do sleep 0.02; done
     if [ "$word" = a ]; then until [ -e done-b ] && [ -e done-c ]; do sleep 0.02; done; fi
     touch "done-$word"; echo "$word"`,
  ),
  fail: sh("echo broken >&2; exit 3"),
  draw: sh("cat pixel.png"),
  wait: sh('echo "$$" > process-id.part; mv process-id.part process-id; sleep 600 & wait'),
};

const call = (name: string, word?: string) => ({ name, input: word === undefined ? {} : { word } });

async function lead(wire: Wire, dialogue: Dialogue): Promise<Emulated> {
  const emulated = await emulate({ dialogue });
  const config: Configuration = {
    agents: { defaults: { model: wire.model } },
    models: { providers: wire.providers(emulated.emulator) },
    tools: TOOLS,
  };
  emulated.configure(JSON.stringify(config));
  writeFileSync(path.join(emulated.home, "pixel.png"), PIXEL);
  return emulated;
}

/** The requests to the model, each as it came. */
function asked({ emulator }: Emulated, { route }: Wire): string[] {
  return emulator.calls.filter((one) => one.route === route).map(({ body }) => JSON.stringify(body));
}

const statuses = ({ emulator }: Emulated): Set<number | undefined> =>
  new Set(emulator.calls.map(({ status }) => status));

interface Step {
  text: string;
  stopReason: string;
  usage: { inputTokens: number; outputTokens: number };
  calls: { toolUseId: string; name: string; input: object; status: string; refused?: true }[];
}
interface Document {
  text: string;
  stopReason: string;
  usage: { inputTokens: number; outputTokens: number };
  steps: Step[];
}

describe.each(WIRES.map((wire) => [wire.name, wire] as const))("by %s", (_, wire) => {
  it("runs a call, and tells the model what it came to", async () => {
    const emulated = await lead(wire, [{ toolCalls: [call("say", "Hi")] }, { text: "It is $result." }]);
    const { code, stdout, stderr } = await emulated.run(["chat", "--tool", "say", "--allow", "say", "Go."]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'It is {"word":"Hi"}.\n', stderr: "" });
    expect(asked(emulated, wire)).toHaveLength(2);
    expect(statuses(emulated)).toEqual(new Set([200]));
  });

  it("runs three calls at once, tells them in their order, and has all of it in the document", async () => {
    const emulated = await lead(wire, [
      {
        text: "I ask three.",
        toolCalls: [call("together", "a"), call("together", "b"), call("together", "c")],
      },
      { text: "They say:\n$result" },
    ]);
    const args = ["chat", "--json", "--tool", "together", "--allow", "*", "Go."];
    const { code, stdout, stderr } = await emulated.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { text, stopReason, usage, steps } = JSON.parse(stdout) as Document;
    expect(text).toBe("I ask three.\n\nThey say:\na\nb\nc");
    expect(stopReason).toBe("end_turn");
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatchObject({ text: "I ask three.", stopReason: "tool_use" });
    expect(steps[0]?.calls.map(({ input, status }) => ({ input, status }))).toEqual(
      ["a", "b", "c"].map((word) => ({ input: { word }, status: "success" })),
    );
    expect(new Set(steps[0]?.calls.map(({ toolUseId }) => toolUseId)).size).toBe(3);
    for (const count of ["inputTokens", "outputTokens"] as const)
      expect(usage[count]).toBe(steps.reduce((sum, step) => sum + step.usage[count], 0));
  });

  it("tells the model that a tool failed, is not there, or was not permitted", async () => {
    const emulated = await lead(wire, [
      { toolCalls: [call("fail"), call("none-such"), call("say", "Hi")] },
      { text: "$result" },
    ]);
    const tools = ["--tool", "fail", "--tool", "say", "--allow", "fail"];
    const { code, stdout, stderr } = await emulated.run(["chat", "--json", ...tools, "Go."]);
    expect(code).toBe(0);
    const { text, steps } = JSON.parse(stdout) as Document;
    expect(text).toContain("sh ended with exit code 3.\n\nstderr:\nbroken");
    expect(text).toContain("There is no tool 'none-such'.");
    expect(text).toContain("The call was not run:");
    expect(steps[0]?.calls.map(({ status, refused }) => ({ status, refused }))).toEqual([
      { status: "error", refused: undefined },
      { status: "error", refused: undefined },
      { status: "error", refused: true },
    ]);
    expect(stderr.match(/--allow say/g)).toHaveLength(1);
    const [, second = ""] = asked(emulated, wire);
    if (wire.failed !== undefined) expect(second.split(wire.failed)).toHaveLength(4);
    expect(statuses(emulated)).toEqual(new Set([200]));
  });

  it("takes JSON that a script has found out, in another run", async () => {
    const emulated = await lead(wire, [
      { text: "Two questions.", toolCalls: [call("say", "one"), call("say", "two")] },
      { text: "So $result" },
      { text: "And on." },
    ]);
    const first = await emulated.run([
      "chat",
      "--json",
      "--tool",
      "say",
      "--no-run",
      "--quiet",
      "--session",
      "s",
      "Go.",
    ]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const { stopReason, steps } = JSON.parse(first.stdout) as Document;
    expect(stopReason).toBe("tool_use");
    const [one, two] = steps[0]?.calls ?? [];
    const lines = [
      { toolUseId: two?.toolUseId, content: "none", status: "error" },
      { toolUseId: one?.toolUseId, content: { found: 1 } },
    ];
    const second = await emulated.run(["chat", "--tool", "say", "--tool-result", "-", "--session", "s"], {
      input: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    });
    expect(second).toEqual({ code: 0, signal: null, stdout: 'So {"found":1}\nnone\n', stderr: "" });
    const third = await emulated.run(["chat", "--session", "s", "More?"]);
    expect(third).toMatchObject({ code: 0, stdout: "And on.\n" });
    expect(statuses(emulated)).toEqual(new Set([200]));
  });

  it("gives the model an image where it reads some", async () => {
    const emulated = await lead(wire, [{ toolCalls: [call("draw")] }, { text: "I see." }]);
    const { code, stdout } = await emulated.run(["chat", "--tool", "draw", "--allow", "draw", "Go."]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "I see.\n" });
    expect(asked(emulated, wire)[1]?.includes(PIXEL.toString("base64"))).toBe(wire.readsImages);
    expect(statuses(emulated)).toEqual(new Set([200]));
  });

  it("goes on for as many rounds as it may, and no further", async () => {
    const again = { text: "Again.", toolCalls: [call("say", "x")] };
    const emulated = await lead(wire, [again, again, again, { text: "Done." }]);
    const args = ["chat", "--json", "--tool", "say", "--allow", "say"];
    const ended = await emulated.run([...args, "--max-steps", "3", "Go."]);
    expect(JSON.parse(ended.stdout)).toMatchObject({ text: "Again.\n\nAgain.\n\nAgain.\n\nDone." });
    const stopped = await emulated.run([...args, "--max-steps", "2", "Go."]);
    expect(stopped.code).toBe(5);
    expect(JSON.parse(stopped.stdout)).toMatchObject({
      error: { code: "max-steps", partialText: "Again.\n\nAgain.\n\nAgain." },
    });
    expect(statuses(emulated)).toEqual(new Set([200]));
  });

  it("ends the tool that runs when it is interrupted", async () => {
    const emulated = await lead(wire, [{ text: "I wait.", toolCalls: [call("wait")] }]);
    const child = emulated.start(["chat", "--tool", "wait", "--allow", "wait", "Go."]);
    const file = path.join(emulated.home, "process-id");
    await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true);
    const processId = Number(readFileSync(file, "utf8"));
    expect(isRunning(processId)).toBe(true);
    const started = performance.now();
    child.kill("SIGINT");
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(130);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(isRunning(processId)).toBe(false);
  });

  it("sends back what was thought before the calls, in every round of the turn", async () => {
    const emulated = await lead(wire, [
      { reasoning: "First this, then that.", toolCalls: [call("say", "this")] },
      // Behind results Claude thinks no more.
      { toolCalls: [call("say", "that")] },
      { text: "Done." },
    ]);
    const args = ["chat", "--reasoning", "low", "--tool", "say", "--allow", "say", "Go."];
    expect(await emulated.run(args)).toMatchObject({ code: 0, stdout: "Done.\n", stderr: "" });
    const [, second = "", third = ""] = asked(emulated, wire);
    for (const request of wire.signed === undefined ? [] : [second, third])
      expect(request).toContain(wire.signed);
    // It goes on thinking, and minds what it has thought.
    if (wire.model.includes("claude")) expect(third).toContain('"thinking":{"type":"enabled"');
    expect(statuses(emulated)).toEqual(new Set([200]));
  });
});

describe("by chat completions of servers that write calls in their own way", () => {
  const piece = (fields: object, details: object) => ({ tool_calls: [{ ...fields, function: details }] });
  const one = { word: "one" };
  const two = { word: "two" };

  it.each<[string, object[], string]>([
    [
      "with arguments as objects, and no numbers",
      [{ tool_calls: [one, two].map((input) => ({ function: { name: "say", arguments: input } })) }],
      "stop",
    ],
    [
      "in pieces, with the id in the first and the name cut",
      [
        piece({ index: 0, id: "a" }, { name: "s", arguments: "" }),
        piece({ index: 0 }, { name: "ay", arguments: '{"word":' }),
        piece({ index: 0 }, { arguments: '"one"}' }),
        piece({ index: 1, id: "b" }, { name: "say", arguments: JSON.stringify(two) }),
      ],
      "tool_calls",
    ],
    [
      "all numbered 0, without ids",
      [
        piece({ index: 0 }, { name: "say", arguments: JSON.stringify(one) }),
        piece({ index: 0 }, { name: "say", arguments: JSON.stringify(two) }),
      ],
      "stop",
    ],
    [
      "with pieces mixed, and one id for both",
      [
        piece({ index: 0, id: "x" }, { name: "say", arguments: '{"word":' }),
        piece({ index: 1, id: "x" }, { name: "say", arguments: '{"word":' }),
        piece({ index: 0 }, { arguments: '"one"}' }),
        piece({ index: 1 }, { arguments: '"two"}' }),
      ],
      "function_call",
    ],
  ])("%s", async (_, deltas, finish) => {
    const calling: OpenaiReply = {
      pieces: events(...deltas.map((delta) => chunk({ ...delta })), chunk({}, finish), "[DONE]"),
    };
    const { baseUrl, chats } = await openaiServer({
      chat: (_call, nth) => (nth === 1 ? calling : says("Done.")),
    });
    const home = createHome();
    const lab = { api: "openai-completions", baseUrl, models: [{ id: "m" }] };
    writeConfig(home, JSON.stringify({ models: { providers: { lab } }, tools: TOOLS }));
    const args = ["chat", "-m", "lab/m", "--tool", "say", "--allow", "say", "Go."];
    expect(await openclaw(args, home)).toMatchObject({ code: 0, stdout: "Done.\n", stderr: "" });
    interface Sent {
      role: string;
      content: unknown;
      tool_call_id?: string;
      tool_calls?: { id: string; function: { name: string; arguments: string } }[];
    }
    const [, answer, ...results] = (chats[1]?.body?.["messages"] ?? []) as Sent[];
    const made = answer?.tool_calls ?? [];
    expect(
      made.map(({ function: { name, arguments: input } }) => [name, JSON.parse(input) as unknown]),
    ).toEqual([
      ["say", one],
      ["say", two],
    ]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(2);
    expect(results).toMatchObject([
      { role: "tool", tool_call_id: made[0]?.id, content: JSON.stringify(one) },
      { role: "tool", tool_call_id: made[1]?.id, content: JSON.stringify(two) },
    ]);
  });
});
