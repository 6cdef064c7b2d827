// The programs that are tried against `serve` and the emulator, with the settings that each needs. What stands here is what
// docs/clients.md tells people to set.
import path from "node:path";

/** What a run is made for. `serve` and `emulator` are base URLs without a path.
 * @typedef {{ bin: string, serve: string, emulator: string, key: string, model: string, home: string, work: string,
 *   aws: Record<string, string>, prompt: string }} Place
 */

/** How a program is started for one way to a model. `calls` are the calls of its own tools that write the file, round by
 * round; a program without tools says by `output` which file it writes itself.
 * @typedef {{ wire: "chat completions" | "responses" | "messages" | "bedrock", via: "serve" | "emulator",
 *   command: (place: Place) => string[], env?: (place: Place) => Record<string, string>,
 *   files?: (place: Place) => Record<string, string>,
 *   before?: (place: Place) => string[],
 *   calls?: (file: string) => { name: string, input: object }[], output?: string, model?: string }} Way
 */

/** @typedef {{ name: string, package: string, ways: Way[] }} Program */

/** @param {unknown} value */
const json = (value) => JSON.stringify(value, null, 2);

/** @type {(wire: Way["wire"], via: Way["via"], way: Omit<Way, "wire" | "via">) => Way} */
const way = (wire, via, more) => ({ wire, via, ...more });

const CONTENT = "written by the loop\n";

/** @type {Program[]} */
export const PROGRAMS = [
  {
    name: "Claude Code",
    package: "@anthropic-ai/claude-code",
    ways: [
      way(
        "messages",
        "serve",
        claudeCode(({ serve, key }) => ({ ANTHROPIC_BASE_URL: serve, ANTHROPIC_API_KEY: key })),
      ),
      way(
        "bedrock",
        "serve",
        claudeCode(({ serve, key }) => ({
          CLAUDE_CODE_USE_BEDROCK: "1",
          ANTHROPIC_BEDROCK_BASE_URL: serve,
          AWS_REGION: "us-east-1",
          AWS_BEARER_TOKEN_BEDROCK: key,
        })),
      ),
      way(
        "bedrock",
        "emulator",
        claudeCode(({ emulator, aws }) => ({
          CLAUDE_CODE_USE_BEDROCK: "1",
          ANTHROPIC_BEDROCK_BASE_URL: emulator,
          ...aws,
        })),
      ),
    ],
  },
  {
    name: "Codex",
    package: "@openai/codex",
    ways: [
      way("responses", "serve", {
        command: ({ bin, prompt, work }) => [
          path.join(bin, "codex"),
          "exec",
          "--skip-git-repo-check",
          "--dangerously-bypass-approvals-and-sandbox",
          "-C",
          work,
          prompt,
        ],
        env: ({ key }) => ({ OPENCLAW_KEY: key }),
        files: ({ serve, model }) => ({
          ".codex/config.toml": [
            `model = "${model}"`,
            `model_provider = "openclaw"`,
            "[model_providers.openclaw]",
            `name = "openclaw"`,
            `base_url = "${serve}/v1"`,
            `env_key = "OPENCLAW_KEY"`,
            `wire_api = "responses"`,
            "",
          ].join("\n"),
        }),
        calls: (file) => [
          { name: "exec_command", input: { cmd: `printf '${CONTENT.trimEnd()}\\n' > ${file}` } },
        ],
      }),
    ],
  },
  {
    name: "opencode",
    package: "opencode-ai",
    ways: [
      way("chat completions", "serve", opencode("@ai-sdk/openai-compatible")),
      way("responses", "serve", opencode("@ai-sdk/openai")),
      way("messages", "serve", opencode("@ai-sdk/anthropic")),
      way("bedrock", "serve", opencode("amazon-bedrock", { isServed: true })),
      way("bedrock", "emulator", opencode("amazon-bedrock")),
    ],
  },
  {
    name: "pi",
    package: "@earendil-works/pi-coding-agent",
    ways: [
      way("chat completions", "serve", pi("openai-completions")),
      way("responses", "serve", pi("openai-responses")),
      way("messages", "serve", pi("anthropic-messages")),
      way("bedrock", "serve", pi("bedrock", { isServed: true })),
      way("bedrock", "emulator", pi("bedrock")),
    ],
  },
  {
    name: "Copilot CLI",
    package: "@github/copilot",
    ways: [
      way("chat completions", "serve", copilot({ COPILOT_PROVIDER_TYPE: "openai" }, "/v1")),
      way(
        "responses",
        "serve",
        copilot({ COPILOT_PROVIDER_TYPE: "openai", COPILOT_PROVIDER_WIRE_API: "responses" }, "/v1"),
      ),
      way("messages", "serve", copilot({ COPILOT_PROVIDER_TYPE: "anthropic" }, "")),
    ],
  },
  {
    name: "Cline",
    package: "cline",
    ways: [
      way("chat completions", "serve", {
        before: ({ bin, serve, key, model }) => [
          path.join(bin, "cline"),
          "auth",
          "-p",
          "openai-compatible",
          "-k",
          key,
          "-m",
          model,
          "-b",
          `${serve}/v1`,
        ],
        command: ({ bin, model, work, prompt }) => [
          path.join(bin, "cline"),
          "-P",
          "openai-compatible",
          "-m",
          model,
          "-c",
          work,
          prompt,
        ],
        calls: (file) => [{ name: "editor", input: { path: file, new_text: CONTENT } }],
      }),
    ],
  },
  {
    name: "Continue",
    package: "@continuedev/cli",
    ways: [
      way(
        "chat completions",
        "serve",
        continuing(({ serve, key, model }) => ({
          provider: "openai",
          model,
          apiBase: `${serve}/v1`,
          apiKey: key,
        })),
      ),
      way(
        "messages",
        "serve",
        continuing(({ serve, key, model }) => ({
          provider: "anthropic",
          model,
          apiBase: `${serve}/v1/`,
          apiKey: key,
        })),
      ),
    ],
  },
  {
    name: "Qwen Code",
    package: "@qwen-code/qwen-code",
    ways: [
      way("chat completions", "serve", {
        command: ({ bin, prompt }) => [
          path.join(bin, "qwen"),
          "--yolo",
          "--auth-type",
          "openai",
          "-p",
          prompt,
        ],
        env: ({ serve, key, model }) => ({
          OPENAI_BASE_URL: `${serve}/v1`,
          OPENAI_API_KEY: key,
          OPENAI_MODEL: model,
        }),
        calls: (file) => [{ name: "write_file", input: { file_path: file, content: CONTENT } }],
      }),
    ],
  },
  {
    name: "promptfoo",
    package: "promptfoo",
    ways: [
      way(
        "chat completions",
        "serve",
        promptfoo(({ serve, key, model }) => ({
          id: `openai:chat:${model}`,
          config: { apiBaseUrl: `${serve}/v1`, apiKey: key },
        })),
      ),
      way(
        "responses",
        "serve",
        promptfoo(({ serve, key, model }) => ({
          id: `openai:responses:${model}`,
          config: { apiBaseUrl: `${serve}/v1`, apiKey: key },
        })),
      ),
      way(
        "messages",
        "serve",
        promptfoo(({ serve, key, model }) => ({
          id: `anthropic:messages:${model}`,
          config: { apiBaseUrl: serve, apiKey: key },
        })),
      ),
      way("bedrock", "serve", promptfoo(ofBedrock, { isServed: true })),
      way("bedrock", "emulator", promptfoo(ofBedrock)),
    ],
  },
];

/**
 * What opens Bedrock: a key of the server as Bedrock's API key, or the key pair of the emulator.
 * @type {(place: Place, isServed: boolean) => Record<string, string>}
 */
function bedrockKeys({ key, aws }, isServed) {
  return isServed ? { AWS_REGION: "us-east-1", AWS_BEARER_TOKEN_BEDROCK: key } : aws;
}

/** @type {(access: (place: Place) => Record<string, string>) => Omit<Way, "wire" | "via">} */
function claudeCode(access) {
  return {
    command: ({ bin, prompt }) => [
      path.join(bin, "..", "@anthropic-ai", `claude-code-${process.platform}-${process.arch}`, "claude"),
      "-p",
      prompt,
      "--permission-mode",
      "acceptEdits",
    ],
    env: (place) => ({
      ...access(place),
      ANTHROPIC_MODEL: place.model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: place.model,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    }),
    calls: (file) => [{ name: "Write", input: { file_path: file, content: CONTENT } }],
  };
}

/** @type {(kind: string, via?: { isServed: boolean }) => Omit<Way, "wire" | "via">} */
function opencode(kind, { isServed } = { isServed: false }) {
  const isBedrock = kind === "amazon-bedrock";
  const provider = isBedrock ? kind : "openclaw";
  return {
    command: ({ bin, model, prompt }) => [
      path.join(bin, "..", `opencode-${process.platform}-${process.arch}`, "bin", "opencode"),
      "run",
      "-m",
      `${provider}/${model}`,
      prompt,
    ],
    env: (place) => ({
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      ...(isBedrock ? bedrockKeys(place, isServed) : {}),
    }),
    files: ({ serve, emulator, key, model }) => ({
      ".config/opencode/opencode.json": json({
        provider: {
          [provider]: isBedrock
            ? {
                options: { region: "us-east-1", endpoint: isServed ? serve : emulator },
                models: { [model]: {} },
              }
            : { npm: kind, options: { baseURL: `${serve}/v1`, apiKey: key }, models: { [model]: {} } },
        },
      }),
    }),
    calls: (file) => [{ name: "write", input: { filePath: file, content: CONTENT } }],
  };
}

/** @type {(api: string, via?: { isServed: boolean }) => Omit<Way, "wire" | "via">} */
function pi(api, { isServed } = { isServed: false }) {
  const isBedrock = api === "bedrock";
  return {
    command: ({ bin, model, prompt }) => [
      path.join(bin, "pi"),
      "--offline",
      "--provider",
      isBedrock ? "amazon-bedrock" : "openclaw",
      "--model",
      model,
      "-p",
      prompt,
    ],
    // Its list has 128,000 tokens of output for Sonnet 4.6, which are more than that has.
    ...(isBedrock ? { model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0" } : {}),
    env: (place) =>
      isBedrock
        ? { ...bedrockKeys(place, isServed), AWS_ENDPOINT_URL: isServed ? place.serve : place.emulator }
        : {},
    files: ({ serve, key, model }) =>
      isBedrock
        ? {}
        : {
            ".pi/agent/models.json": json({
              providers: {
                openclaw: {
                  baseUrl: api === "anthropic-messages" ? serve : `${serve}/v1`,
                  api,
                  apiKey: key,
                  models: [{ id: model }],
                },
              },
            }),
          },
    calls: (file) => [{ name: "write", input: { path: file, content: CONTENT } }],
  };
}

/** @type {(kind: Record<string, string>, base: string) => Omit<Way, "wire" | "via">} */
function copilot(kind, base) {
  return {
    command: ({ bin, prompt }) => [path.join(bin, "copilot"), "-p", prompt, "--allow-all-tools"],
    env: ({ serve, key, model }) => ({
      COPILOT_PROVIDER_BASE_URL: `${serve}${base}`,
      ...kind,
      COPILOT_PROVIDER_API_KEY: key,
      COPILOT_MODEL: model,
      COPILOT_OFFLINE: "true",
    }),
    calls: (file) => [{ name: "create", input: { path: file, file_text: CONTENT } }],
  };
}

/** @type {(model: (place: Place) => object) => Omit<Way, "wire" | "via">} */
function continuing(model) {
  return {
    command: ({ bin, home, prompt }) => [
      path.join(bin, "cn"),
      "-p",
      prompt,
      "--auto",
      "--config",
      path.join(home, "config.yaml"),
    ],
    env: () => ({ CONTINUE_TELEMETRY_ENABLED: "0" }),
    // JSON is YAML.
    files: (place) => ({
      "config.yaml": json({
        name: "openclaw",
        version: "1.0.0",
        schema: "v1",
        models: [{ name: "openclaw", ...model(place), roles: ["chat"], capabilities: ["tool_use"] }],
      }),
    }),
    calls: (file) => [{ name: "Write", input: { filepath: file, content: CONTENT } }],
  };
}

/** @param {Place} place */
function ofBedrock({ model }) {
  return { id: `bedrock:${model}`, config: { region: "us-east-1" } };
}

/** @type {(provider: (place: Place) => object, via?: { isServed: boolean }) => Omit<Way, "wire" | "via">} */
function promptfoo(provider, { isServed } = { isServed: false }) {
  return {
    command: ({ bin, work, home }) => [
      path.join(bin, "promptfoo"),
      "eval",
      "--no-cache",
      "--no-share",
      "--no-table",
      "-c",
      path.join(home, "promptfooconfig.json"),
      "-o",
      path.join(work, "out.json"),
    ],
    env: (place) => ({
      PROMPTFOO_DISABLE_TELEMETRY: "1",
      PROMPTFOO_DISABLE_UPDATE: "1",
      PROMPTFOO_DISABLE_REMOTE_GENERATION: "1",
      ...bedrockKeys(place, isServed),
      AWS_ENDPOINT_URL: isServed ? place.serve : place.emulator,
    }),
    files: (place) => ({
      "promptfooconfig.json": json({
        // A prompt that ends like the name of a file is read as one.
        prompts: [place.prompt.split(":")[0]],
        providers: [provider(place)],
        tests: [{ assert: [{ type: "contains", value: "simulated" }] }],
      }),
    }),
    output: "out.json",
  };
}
