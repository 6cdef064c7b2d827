import { writeFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MODELS } from "../../src/emulator/models.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { listOf, openaiServer, refusal, says } from "../helpers/openai-server.ts";
import { binary, emptyEnvironment } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { runInProcess } from "../helpers/run-in-process.ts";
import { serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";

const MODEL = "amazon.nova-lite-v1:0";

/** Writes the clipboard, sets the title, clears the screen, goes home, reverses the order, hides text, links elsewhere. */
const ATTACK =
  "A\u001B]52;c;cm0gLXJmIH4=\u0007B\u001B]0;root@host\u0007C\u001B[2J\u001B[HD\u202Egnp.exe\u2066E\u001B[8mF\u009B31mG" +
  "\u001B]8;;http://evil.example\u001B\\H\u001BP+q544e\u001B\\I\u0007J\u0008K\rL";

/** What none of it may leave in what a terminal is sent: only our own looks, line ends and our own spinner's cursor. */
const ACTING =
  /\u001B(?!\[(?:0|[1-4]|2[2-4]|3[1-6]|39)?m|\[J)|[\u0080-\u009F\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFFF9-\uFFFB\u0000\u0007\u0008\u007F]|[\u{E0000}-\u{E007F}]|\p{M}{13}|Q\u001B\[3\dmQ|\r(?!\n|\u001B)/u;

function expectHarmless(output: string): void {
  const found = ACTING.exec(output);
  // With what stands around it.
  expect(found && output.slice(Math.max(0, found.index - 20), found.index + 20)).toBeNull();
}

async function onTerminal(user: Emulated, args: readonly string[], env: Record<string, string> = {}) {
  // A sequence that is cut by the end of the terminal looks like one that acts.
  const options = { env: { ...user.env, ...env }, columns: 120, lingerSeconds: 0.2 };
  const screen = openPty(args, user.home, options);
  const code = await screen.exit;
  return { code, output: screen.output(), text: screen.lines().join("\n") };
}

/** The same at a tenth of the time, for many commands: both outputs are terminals, and nobody types. */
async function writtenTo(user: Emulated, args: readonly string[], env: Record<string, string> = {}) {
  if (isThorough) return (await onTerminal(user, args, env)).output;
  const { output = "" } = await runInProcess(binary, args, {
    env: emptyEnvironment(user.home, { ...user.env, TERM: "xterm-256color", LANG: "C.UTF-8", ...env }),
    cwd: user.home,
    input: "",
    columns: 120,
  });
  return output;
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

  it("a model's answer where the terminal shows links, but links to what is read", async () => {
    const user = await emulate({
      script: ({ route }) =>
        route === "ConverseStream"
          ? {
              stream: textAnswerSteps([
                ...`${ATTACK} [home](javascript:x) [bank.com](https://evil.example/\u001B]0;x\u0007)`,
              ]),
            }
          : undefined,
    });
    const { code, output } = await onTerminal(user, ["chat", "-m", MODEL, "hi"], { FORCE_HYPERLINK: "1" });
    expect(code).toBe(0);
    const links = [...output.matchAll(/\u001B\]8;;([!-~]*)\u001B\\/g)].map(([, address = ""]) => address);
    for (const address of links)
      expect(address).toMatch(/^(?:http:\/\/evil\.example.*|https:\/\/evil\.example\/%E2.*|)$/);
    expect(links.length).toBeGreaterThanOrEqual(4);
    expectHarmless(output.replaceAll(/\u001B\]8;;[!-~]*\u001B\\/g, ""));
  });

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

/** What a hostile text is put together from. Q on both sides of a look that could be ours. */
const PIECES = [
  "\u001B]52;c;cm0gLXJmIH4=\u0007",
  "\u001B]0;root@host\u001B\\",
  "\u001B[2J\u001B[H",
  "Q\u001B[31mQ",
  "\u001B[8m",
  "\u001BP+q544e\u001B\\",
  "\u001Bc",
  "\u009B31m\u009D52;c;eA==\u009C\u0090q\u009C\u0085",
  "safe\b\b\b\bevil",
  "\rerror",
  "\u007F",
  "\u202Egnp\u2066\u2069\u200F\u061C",
  "a\u200Bb\u2060\uFEFF",
  "\u{E0001}\u{E0072}\u{E006D}",
  "\uFFF9a\uFFFAb\uFFFB",
  "\u2028\u2029",
  `o${"\u0301".repeat(300)}`,
  "word é 日本 👩‍👧",
];

/** Hostile texts without zeros, line ends and slashes, which names of files and arguments cannot have. */
const hostile = fc
  .tuple(
    fc.shuffledSubarray(PIECES, { minLength: PIECES.length }),
    fc.array(fc.string({ unit: "binary", maxLength: 6 }), { minLength: 3, maxLength: 3 }),
  )
  .map(([pieces, more]) => [...more, ...pieces].join("").replaceAll(/[\0\n/]|\p{Surrogate}/gu, ""));

interface Entrance {
  name: string;
  /** Puts the text in; returns the commands that may show it. */
  open: (text: string) => Promise<{ user: Emulated; calls: readonly Call[] }>;
}

type Call = readonly [args: readonly string[], env?: Record<string, string>];

const COLOR = { FORCE_COLOR: "1" };

const ENTRANCES: readonly Entrance[] = [
  {
    name: "the ids of a server's models",
    open: async (text) => {
      const server = await openaiServer({ models: listOf(`x${text}`), chat: () => says("fine") });
      const user = await emulate();
      user.configure(JSON.stringify({ models: { providers: { corp: { baseUrl: server.baseUrl } } } }));
      return {
        user,
        calls: [
          [["models", "list"]],
          [["models", "list", "--plain"]],
          [["chat", "-m", "corp/nothing", "hi"]],
          [["doctor"]],
          [["complete", "zsh", "--", "chat", "-m", "x"]],
          [["complete", "bash", "--", " ", "openclaw chat -m x"]],
          [["complete", "fish", "--", "chat", "-m", ""]],
        ],
      };
    },
  },
  {
    name: "a server's error and the id of its answer",
    open: async (text) => {
      const id = text.replaceAll(/[^\t\u0020-\u007E\u0080-\u00FF]/g, "");
      const server = await openaiServer({
        chat: () =>
          refusal(400, { message: `no ${text}`, code: text, type: text }, { "x-request-id": `r${id}` }),
      });
      const user = await emulate();
      user.configure(JSON.stringify({ models: { providers: { corp: { baseUrl: server.baseUrl } } } }));
      return {
        user,
        calls: [
          [["chat", "-m", "corp/llama3", "-v", "hi"]],
          [["chat", "-m", "corp/llama3", "--json", "hi"]],
          [["chat", "-m", "corp/llama3", "hi"], COLOR],
        ],
      };
    },
  },
  {
    name: "an error of AWS",
    open: async (text) => {
      const user = await emulate({
        script: ({ route }) =>
          route === "Unknown"
            ? undefined
            : { error: { name: "ValidationException", message: `It is ${text}` } },
      });
      const env = { AWS_MAX_ATTEMPTS: "1" };
      return {
        user,
        calls: [
          [["chat", "-m", MODEL, "-v", "hi"], env],
          [["models", "list"], env],
          [["doctor", "--json"], env],
        ],
      };
    },
  },
  {
    name: "what was said in a session",
    open: async (text) => {
      const user = await emulate();
      const { code } = await user.run(["chat", "-m", MODEL, "--session", "s1", `say ${text}`]);
      expect(code).toBe(0);
      return {
        user,
        calls: [
          [["sessions", "list"]],
          [["sessions", "show", "s1"]],
          [["sessions", "show", "s1", "--json"]],
          [["sessions", "export", "s1"]],
        ],
      };
    },
  },
  {
    name: "names of files",
    open: async (text) => {
      const user = await emulate();
      const name = `n${text.slice(0, 40)}.xyz`;
      writeFileSync(path.join(user.home, name), "\u0000binary");
      return {
        user,
        calls: [
          [["chat", "-m", MODEL, "-f", name, "hi"]],
          [["--config", name, "config", "validate"]],
          [["--config", name, "config", "file"]],
          [["chat", "-m", MODEL, "--schema", name, "hi"]],
        ],
      };
    },
  },
  {
    name: "arguments",
    open: async (text) => ({
      user: await emulate(),
      calls: [
        [["chat", "-m", `x${text}`, "hi"]],
        [[`x${text}`]],
        [["models", "list", `--x${text}`]],
        [["config", "get", `agents[${text}]`]],
        [["config", "set", `agents.x${text}`, "1"]],
        [["--profile", `p${text}`, "models", "list"]],
        [["--region", `r${text}`, "models", "list"]],
        [["sessions", "show", `s${text}`]],
        [["emulator", "--upstream", `u${text}`]],
      ],
    }),
  },
  {
    name: "the environment",
    open: async (text) => ({
      user: await emulate(),
      calls: [
        [["models", "list"], { AWS_PROFILE: `p${text}`, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }],
        [["models", "list"], { AWS_REGION: `r${text}` }],
        [["doctor"], { AWS_ENDPOINT_URL: `http://h${text}` }],
        [["models", "list"], { HTTPS_PROXY: `p${text}`, AWS_ENDPOINT_URL: "" }],
        [["config", "get"], { OPENCLAW_CONFIG_PATH: `c${text}` }],
      ],
    }),
  },
  {
    name: "profiles of the shared files",
    open: async (text) => {
      const user = await emulate();
      const config = path.join(user.home, "aws");
      writeFileSync(
        config,
        `[profile work]\nrole_arn = arn${text.replaceAll("\r", "")}\nsource_profile = x${text.replaceAll("\r", "")}\n`,
      );
      const env = { AWS_CONFIG_FILE: config, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
      return {
        user,
        calls: [
          [["--profile", "work", "models", "list"], env],
          [["--profile", "work", "doctor"], env],
        ],
      };
    },
  },
  {
    name: "keys and values of the configuration",
    open: async (text) => {
      const user = await emulate();
      user.configure(
        JSON.stringify({
          [`k${text}`]: { v: text },
          agents: { defaults: { model: `m${text}`, models: { [`m${text}`]: { alias: `a${text}` } } } },
          models: {
            bedrockDiscovery: { region: `r${text}`, refreshInterval: text },
          },
        }),
      );
      return {
        user,
        calls: [
          [["config", "get"]],
          [["config", "get", "agents.defaults.model"]],
          [["config", "get", "--effective"]],
          [["config", "validate"]],
          [["config", "set", "--dry-run", "models.bedrockDiscovery.refreshInterval", "5"]],
          [["config", "unset", "models.bedrockDiscovery.refreshInterval"]],
          [["models", "list"]],
          [["models", "status"]],
          [["doctor"]],
          [["complete", "zsh", "--", "config", "get", ""]],
          [["complete", "fish", "--", "chat", "-m", ""]],
        ],
      };
    },
  },
];

describe("whatever comes in, nothing acts on the terminal that it reaches:", () => {
  it.each(ENTRANCES)("$name", { timeout: 120_000 }, async ({ open }) => {
    for (const text of fc.sample(hostile, isThorough ? 20 : 1)) {
      const { user, calls } = await open(text);
      for (const [args, env = {}] of calls) {
        const output = await writtenTo(user, args, env);
        expect({ args, text, acting: ACTING.exec(output)?.[0] }).toEqual({ args, text, acting: undefined });
      }
    }
  });
});

describe("completions offer no name that acts, hides or breaks the line:", () => {
  it.each([
    [["complete", "zsh", "--", "chat", "-m", ""]],
    [["complete", "bash", "--", " ", "openclaw chat -m "]],
    [["complete", "fish", "--", "chat", "-m", ""]],
  ])("%j", async (args) => {
    const user = await emulate();
    const models = [...PIECES, "a\nb", "fine-model"].map((id) => ({ id, name: `N ${ATTACK}` }));
    user.configure(
      JSON.stringify({ models: { providers: { corp: { baseUrl: "http://127.0.0.1:9/v1", models } } } }),
    );
    const { code, stdout } = await user.run(args);
    expect(code).toBe(0);
    expect(ACTING.exec(stdout)?.[0]).toBeUndefined();
    const offered = stdout.split("\n").filter((line) => line.includes("corp/"));
    expect(offered).toHaveLength(2);
    expect(offered.join("\n")).toMatch(/fine-model/);
  });
});

describe("a log has nothing that acts:", () => {
  it("what `serve` tells of a request and of AWS's answer, as JSON that says the same", async () => {
    const message = `It is ${ATTACK} \u2028 \u{E0072} \u200B`;
    const served = await serve({
      args: ["--log-content"],
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream" ? { error: { name: "ValidationException", message } } : undefined,
      },
    });
    let text = "";
    served.child.stderr.on("data", (piece) => (text += String(piece)));
    const messages = [{ role: "user" as const, content: message }];
    await expect(served.client.chat.completions.create({ model: MODEL, messages })).rejects.toThrow("It is");
    const { error, request } = await served.logged(({ kind }) => kind === "request");
    await served.end();
    expect(error?.message).toContain(message.replaceAll(/[\r\n]+/g, " ").slice(0, 40));
    expect(request).toMatchObject({ messages });
    expect(text).toContain('"kind":"request"');
    expect(ACTING.exec(text)?.[0]).toBeUndefined();
  });

  it("stderr in a pipe, whatever AWS says and with --verbose", async () => {
    const user = await emulate({
      script: ({ route }) =>
        route === "Unknown"
          ? undefined
          : { error: { name: "ValidationException", message: `It is ${ATTACK}` } },
    });
    const { stdout, stderr } = await user.run(["chat", "-m", MODEL, "-v", "hi"]);
    expect(stdout).toBe("");
    expect(stderr).toContain("It is A");
    expect(ACTING.exec(stderr)?.[0]).toBeUndefined();
  });
});

describe("in a pipe the answer is left as it is:", () => {
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
