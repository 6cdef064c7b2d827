import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { MODELS } from "../../src/emulator/models.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";

const MODEL = "amazon.nova-lite-v1:0";

/** Writes the clipboard, sets the title, clears the screen, goes home, reverses the order, hides text, links elsewhere. */
const ATTACK =
  "A\u001B]52;c;cm0gLXJmIH4=\u0007B\u001B]0;root@host\u0007C\u001B[2J\u001B[HD\u202Egnp.exe\u2066E\u001B[8mF\u009B31mG" +
  "\u001B]8;;http://evil.example\u001B\\H\u001BP+q544e\u001B\\I\u0007J\u0008K\rL";

/** What none of it may leave in what a terminal is sent: only colours, line ends and our own spinner's cursor. */
const ACTING =
  /\u001B(?!\[(?:\d{1,3}(?:;\d{1,3})*)?m|\[\?(?:25|2026)[hl]|\[\d*[GK]|\[1A)|[\u0080-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u0007\u0008]/;

function expectHarmless(output: string): void {
  expect(ACTING.exec(output)?.[0]).toBeUndefined();
  // Hidden text is a colour that we never use.
  expect(output).not.toContain("\u001B[8m");
}

async function onTerminal(user: Emulated, args: readonly string[], env: Record<string, string> = {}) {
  const screen = openPty(args, user.home, { env: { ...user.env, ...env }, columns: 120 });
  const code = await screen.exit;
  return { code, output: screen.output(), text: screen.lines().join("\n") };
}

describe("on a terminal nothing foreign acts:", () => {
  it.each([[[]], [["--raw"]], [["--json"]], [["--ndjson"]], [["--no-stream"]]])(
    "a model's answer, with %j",
    async (options) => {
      const user = await emulate({
        script: ({ route }) =>
          route === "ConverseStream" ? { stream: textAnswerSteps([...ATTACK].map(String)) } : undefined,
      });
      const { code, output, text } = await onTerminal(user, ["chat", "-m", MODEL, ...options, "hi"]);
      expect(code).toBe(0);
      expectHarmless(output);
      for (const letter of "ABCDEFGHIJKL") expect(text).toContain(letter);
    },
  );

  it("a model's reasoning", async () => {
    const user = await emulate({
      script: ({ route }) =>
        route === "ConverseStream"
          ? {
              stream: [
                {
                  event: "contentBlockDelta",
                  payload: { contentBlockIndex: 0, delta: { reasoningContent: { text: ATTACK } } },
                },
                ...textAnswerSteps(["fine"]),
              ],
            }
          : undefined,
    });
    const { code, output } = await onTerminal(user, ["chat", "-m", MODEL, "--show-reasoning", "hi"]);
    expect(code).toBe(0);
    expectHarmless(output);
  });

  it.each([[["models", "list"]], [["models", "list", "--json"]], [["models", "show", MODEL]]])(
    "the names of models, by %j",
    async (args) => {
      const models = MODELS.map((model) =>
        Object.assign({}, model, { modelName: `${ATTACK} ${model.modelName}` }),
      );
      const user = await emulate({ models });
      const { code, output } = await onTerminal(user, args);
      expect(code).toBe(0);
      expectHarmless(output);
    },
  );

  it.each([["ValidationException"], ["AccessDeniedException"], ["ThrottlingException"]])(
    "the message of an error, %s",
    async (name) => {
      const user = await emulate({
        script: ({ route }) =>
          route === "Unknown" ? undefined : { error: { name, message: `It is ${ATTACK}` } },
      });
      for (const args of [
        ["chat", "-m", MODEL, "hi"],
        ["chat", "-m", MODEL, "--json", "hi"],
        ["models", "list"],
        ["doctor"],
      ]) {
        const { code, output } = await onTerminal(user, args, { AWS_MAX_ATTEMPTS: "1" });
        expect(code).not.toBe(0);
        expectHarmless(output);
      }
    },
  );

  it("the names of files, models and settings that a person did not write", async () => {
    const user = await emulate();
    const file = `notes\u001B]0;title\u0007.xyz`;
    writeFileSync(path.join(user.home, file), "\u0000binary");
    user.configure(
      `{ "evil${ATTACK.replaceAll(/[\n\r\\"]/g, "").replaceAll(/[\u0000-\u001F]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}": 1, agents: { defaults: { model: 5 } } }`,
    );
    for (const args of [
      ["chat", "-m", MODEL, "-f", file, "hi"],
      ["chat", "-m", `x${ATTACK}`, "hi"],
      ["config", "get"],
      ["config", "validate"],
      ["config", "get", `agents${ATTACK}`],
      [`no-command${ATTACK}`],
    ]) {
      const { output } = await onTerminal(user, args);
      expectHarmless(output);
    }
  });
});

describe("in a pipe everything foreign is left as it is:", () => {
  it("a model's answer, to the byte", async () => {
    const user = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: textAnswerSteps([ATTACK]) } : undefined),
    });
    expect(await user.run(["chat", "-m", MODEL, "hi"])).toMatchObject({
      code: 0,
      stdout: `${ATTACK}\n`,
      stderr: "",
    });
  });

  it("the names of models, in JSON", async () => {
    const model = MODELS.find(({ modelId }) => modelId === MODEL);
    const modelName = "\u001B[31mred";
    const user = await emulate({
      models: model ? [Object.assign({}, model, { modelName })] : [],
      profiles: [],
    });
    const { stdout } = await user.run(["models", "list", "--json"]);
    expect(JSON.parse(stdout).models[0].name).toBe(modelName);
  });
});
