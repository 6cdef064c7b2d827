import {
  Argument,
  Command,
  CommanderError,
  type CommandOptions,
  Option,
  type OutputConfiguration,
} from "commander";
import type { CompleteOptions } from "./commands/complete.ts";
import { type OpenclawError, usageError } from "./errors.ts";
import { integerFlag, numberFlag, repeatable } from "./flags.ts";
import type { GlobalOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { VERSION } from "./version.ts";

interface CommandFile<O> {
  run(options: O, runtime: Runtime): Promise<void>;
}

/** Runs the program with the given arguments. Rejects with `OpenclawError`. */
export async function runProgram(args: readonly string[], runtime: Runtime): Promise<void> {
  // A wrong call is reported in the format that was asked for, although it could not be parsed.
  const flags = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (flags.includes("--json")) runtime.terminal.setMode({ format: "json" });
  if (flags.includes("--ndjson")) runtime.terminal.setMode({ format: "ndjson" });
  const root = createCommand(runtime, args);
  if (args.length === 0) {
    root.outputHelp();
    return;
  }
  try {
    await root.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0 && error.code !== "commander.help")
      throw toUsageError(error, commandPath(root, args));
  }
}

/**
 * The command tree: names, flags, help texts. Documentation and shell completion are made from it, too. With arguments
 * only the commands they name are built: the whole tree costs 3 ms of every start.
 */
export function createCommand(runtime: Runtime, args?: readonly string[]): Command {
  const write = (text: string): void => void runtime.terminal.write(text);
  const output: OutputConfiguration = { writeOut: write, writeErr: write, outputError: () => undefined };
  const root = configured(new Command("openclaw"), output)
    .description("Amazon Bedrock from the command line: find credentials, list models, stream answers.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--config <file>", "configuration file to use")
    .option("--profile <name>", "AWS profile; goes before every other credential source")
    .option("--region <name>", "AWS region")
    .option("--endpoint-url <url>", "endpoint of Bedrock and Bedrock Runtime")
    .option("--emulator", "use a Bedrock inside this process instead of AWS")
    .option("--json", "print one JSON document")
    .option("--no-color", "print without colours")
    .option("-v, --verbose", "show requests, retries and timings on stderr")
    .addHelpText(
      "after",
      '\nStart with:\n  openclaw doctor\n  openclaw models list\n  openclaw chat "Hello"',
    );
  root.hook("preAction", (_, action) => {
    const { json, ndjson, plain, color, verbose } = action.optsWithGlobals<
      GlobalOptions & { ndjson?: boolean; plain?: boolean }
    >();
    if (json && (ndjson || plain)) {
      throw usageError(
        `--json and ${ndjson ? "--ndjson" : "--plain"} are two forms of one output.`,
        "Leave one of them out.",
      );
    }
    runtime.terminal.setMode({
      format: ndjson ? "ndjson" : json ? "json" : "text",
      color,
      verbose: verbose === true,
    });
  });

  /** Adds a group of commands; when arguments name some of them, only those. */
  const group = (
    name: string,
    description: string,
    members: Readonly<Record<string, (parent: Command) => Command>>,
  ): void => {
    const parent = configured(root.command(name), output).description(description);
    for (const [member, build] of Object.entries(members))
      if (isWanted(member, Object.keys(members), args)) build(parent);
  };
  /** Adds a command whose file is loaded when it runs; arguments and flags arrive as one options object. */
  const define = <O>(
    parent: Command,
    usage: string,
    description: string,
    load: () => Promise<CommandFile<O>>,
    settings: CommandOptions = {},
  ): Command => {
    const command = configured(parent.command(usage, settings), output).description(description);
    return command.action(async () => {
      const positional = Object.fromEntries(
        command.registeredArguments.map((argument, index) => [argument.name(), command.processedArgs[index]]),
      );
      const options = { ...command.optsWithGlobals<GlobalOptions>(), ...positional };
      const { run } = await load();
      await withEmulator(options, runtime, (surroundings) => run(options as O, surroundings));
    });
  };

  const commands: Record<string, () => void> = {
    config: () => {
      group("config", "Read and edit the configuration file.", {
        get: (config) =>
          define(config, "get [path]", "Print a setting.", () => import("./commands/config/get.ts")).option(
            "--effective",
            "print the value in force and where it comes from",
          ),
        set: (config) =>
          define(config, "set [path] [value]", "Write a setting.", () => import("./commands/config/set.ts"))
            .option("--strict-json", "accept only JSON as the value")
            .option("--merge", "add the entries of an object to those that are there")
            .option("--replace", "let the value drop existing entries of a map")
            .option("--batch-file <file>", "read a list of {path, value} from a JSON5 file, - for stdin")
            .option("--force", "write a path that is not a known setting")
            .option("--dry-run", "print the change and write nothing"),
        unset: (config) =>
          define(
            config,
            "unset <path>",
            "Remove a setting.",
            () => import("./commands/config/unset.ts"),
          ).option("--dry-run", "print the change and write nothing"),
        patch: (config) =>
          define(
            config,
            "patch",
            "Merge an object into the configuration; null removes.",
            () => import("./commands/config/patch.ts"),
          )
            .option("--file <file>", "read the object from a JSON5 file")
            .option("--stdin", "read the object from stdin")
            .option("--replace", "let a value drop existing entries of a map")
            .option("--force", "write paths that are not known settings")
            .option("--dry-run", "print the change and write nothing"),
        file: (config) =>
          define(
            config,
            "file",
            "Print the path of the configuration file.",
            () => import("./commands/config/file.ts"),
          ),
        validate: (config) =>
          define(
            config,
            "validate",
            "Check the configuration file.",
            () => import("./commands/config/validate.ts"),
          ),
        schema: (config) =>
          define(
            config,
            "schema",
            "Print a JSON Schema of the settings.",
            () => import("./commands/config/schema.ts"),
          ),
      });
    },
    models: () => {
      group("models", "Find the models this account can call.", {
        list: (models) =>
          define(
            models,
            "list",
            "List configured and discovered models.",
            () => import("./commands/models/list.ts"),
          )
            .option("--provider <name>", "only models of this provider (repeatable)", repeatable)
            .option("--search <text>", "only models whose id or name contains this text")
            .option("--all", "include legacy, provisioned-only and profile-only models")
            .addOption(choice("--sort <field>", "sort by a column", SORT_FIELDS))
            .option("--access", "ask AWS which of the listed models this identity can call")
            .option("--plain", "print one model key a line")
            .option("--refresh", "ask AWS now, whatever the cache holds")
            .option("--offline", "never ask AWS"),
        show: (models) =>
          define(
            models,
            "show <model>",
            "Show what is known about one model.",
            () => import("./commands/models/show.ts"),
          ).option("--access", "ask AWS whether this identity can call it"),
        status: (models) =>
          define(
            models,
            "status",
            "Show default model, credentials, region and cache.",
            () => import("./commands/models/status.ts"),
          ),
        set: (models) =>
          define(
            models,
            "set <model>",
            "Set the default model.",
            () => import("./commands/models/set.ts"),
          ).option("--force", "set it although it is neither configured nor discovered"),
      });
    },
    chat: () => {
      define(
        root,
        "chat [prompt...]",
        "Ask a model and stream its answer.",
        () => import("./commands/chat.ts"),
      )
        .option("-m, --model <model>", "model key, id, ARN or alias; several, by commas, are tried in order")
        .option("-s, --system <text>", "system prompt")
        .option("--system-file <file>", "read the system prompt from a file")
        .option("--max-tokens <tokens>", "most tokens to put out", integerFlag(1))
        .option("--temperature <number>", "sampling temperature, 0 to 1", numberFlag(0, 1))
        .option("--top-p <number>", "nucleus sampling, 0 to 1", numberFlag(0, 1))
        .option("--stop <text>", "text that ends the answer (repeatable)", repeatable)
        .option("-f, --file <file>", "attach an image or a document, - for stdin (repeatable)", repeatable)
        .addOption(choice("--reasoning <level>", "how much the model reasons", REASONING_LEVELS))
        .option("--schema <file|json>", "answer with JSON that fits this JSON Schema")
        .addOption(choice("--cache <time>", "cache the prompt for this long", ["off", "5m", "1h"]))
        .option("--guardrail <id:version>", "guardrail to apply")
        .option("--guardrail-trace", "ask which of the guardrail's policies act")
        .addOption(choice("--service-tier <tier>", "Bedrock service tier", SERVICE_TIERS))
        .addOption(choice("--latency <mode>", "Bedrock latency mode", ["standard", "optimized"]))
        .option("--metadata <key=value>", "mark the call in the invocation logs (repeatable)", repeatable)
        .option("--dry-run", "print the request and what it would cost, send nothing billed")
        .option("--session <id>", "go on with this session, or begin it")
        .option("--continue", "go on with the latest session of this folder")
        .option("--no-save", "write nothing of the conversation to the disk")
        .option("--raw", "print the text as the model wrote it, on a terminal too")
        .option("--show-reasoning", "print the model's reasoning on stderr")
        .option("--no-stream", "print the answer when it is whole")
        .option("--usage", "print tokens, price and timings on stderr")
        .option("--timeout <seconds>", "give up when the whole call takes longer", numberFlag(0.001))
        .option(
          "--first-token-timeout <seconds>",
          "give up when nothing arrives for so long (default: 120, or 900 for a model that reasons)",
          numberFlag(0.001),
        )
        .option("--ndjson", "print one JSON event a line as it arrives");
    },
    sessions: () => {
      group("sessions", "Look at the conversations that are kept on this machine.", {
        list: (sessions) =>
          define(sessions, "list", "List the sessions.", () => import("./commands/sessions/list.ts")).option(
            "--here",
            "only those begun in this folder",
          ),
        show: (sessions) =>
          define(
            sessions,
            "show <id>",
            "Print a session as it went.",
            () => import("./commands/sessions/show.ts"),
          ).option("--raw", "print the text as the model wrote it, on a terminal too"),
        export: (sessions) =>
          define(
            sessions,
            "export <id>",
            "Print a session as Markdown, or as JSON with --json.",
            () => import("./commands/sessions/export.ts"),
          ),
        rm: (sessions) =>
          define(sessions, "rm <ids...>", "Remove sessions.", () => import("./commands/sessions/rm.ts")),
      });
    },
    doctor: () => {
      define(
        root,
        "doctor",
        "Check credentials, region, permissions and configuration.",
        () => import("./commands/doctor.ts"),
      ).option("--probe", "add one small billed call");
    },
    iam: () => {
      group("iam", "Write the permissions that this configuration needs.", {
        policy: (iam) =>
          define(
            iam,
            "policy",
            "Print the least-privilege IAM policy for this configuration.",
            () => import("./commands/iam/policy.ts"),
          ).option(
            "--for <purposes>",
            "what it is for, by commas: discovery, chat, serve, doctor (default: all)",
          ),
      });
    },
    emulator: () => {
      define(
        root,
        "emulator",
        "Run a simulated Bedrock on this machine.",
        () => import("./commands/emulator.ts"),
      )
        .option("--port <number>", "port to listen on (default: any free one)", integerFlag(0, 65535))
        .option("--host <host>", "loopback address to listen on", "127.0.0.1")
        .option("--fault <fault>", "let a call fail: ROUTE[:CALL]=FAULT[@DELTAS] (repeatable)", repeatable)
        .option("--upstream <url>", "OpenAI-compatible server whose model answers Converse calls")
        .option("--upstream-model <model>", "model of that server that answers");
    },
    serve: () => {
      define(
        root,
        "serve",
        "Serve Amazon Bedrock over OpenAI's HTTP API.",
        () => import("./commands/serve.ts"),
      )
        .option("--port <number>", "port to listen on; 0 takes any free one", integerFlag(0, 65535), 8080)
        .option("--host <host>", "address to listen on; other than loopback it needs a key", "127.0.0.1")
        .option("--api-key-file <file>", "keys that clients may use, a line each: name:key")
        .option(
          "--map <name=model>",
          "let a name stand for a model, or several by commas (repeatable)",
          repeatable,
        )
        .option("--cors <origin>", "let pages of this origin call the server (repeatable)", repeatable)
        .option("--allow-remote-images", "fetch images that a request names by their URL")
        .option("--max-streams <number>", "answers at once; more are told to try again", integerFlag(1), 1000)
        .option("--max-body <megabytes>", "largest request", numberFlag(0.001, 1024), 32)
        .option(
          "--idle-timeout <seconds>",
          "close a connection that nobody uses or reads",
          numberFlag(1, 86_400),
          75,
        )
        .option(
          "--heartbeat <seconds>",
          "how often a waiting stream shows that it lives",
          numberFlag(0.05, 3600),
          15,
        )
        .option(
          "--drain-timeout <seconds>",
          "time for running answers after SIGTERM",
          numberFlag(0, 86_400),
          30,
        )
        .option("--log-content", "write prompts and answers into the log, too");
    },
    completion: () => {
      define(
        root,
        "completion",
        "Print the script that makes a shell complete commands.",
        () => import("./commands/completion.ts"),
      ).addArgument(new Argument("<shell>").choices(SHELLS));
    },
    complete: () => {
      define<CompleteOptions>(
        root,
        "complete",
        "Print what may stand at the cursor; completion scripts call it.",
        async () => {
          const [{ run }, { describeTree }] = await Promise.all([
            import("./commands/complete.ts"),
            import("./completion/describe-tree.ts"),
          ]);
          return {
            run: (options) => run({ ...options, tree: describeTree(createCommand(runtime)) }, runtime),
          };
        },
        { hidden: true },
      )
        .addArgument(new Argument("<shell>").choices(SHELLS))
        .argument("[words...]");
    },
  };
  for (const [name, add] of Object.entries(commands)) if (isWanted(name, Object.keys(commands), args)) add();
  return root;
}

/** Whether a command is to be built: all without arguments and where they name none, for help and suggestions. */
function isWanted(name: string, names: readonly string[], args: readonly string[] | undefined): boolean {
  if (args === undefined || args.includes(name)) return true;
  const isVersion = args.length === 1 && (args[0] === "--version" || args[0] === "-V");
  return !isVersion && !names.some((other) => args.includes(other));
}

/** With `--emulator`, runs `work` against a Bedrock inside this process that the environment points to. */
async function withEmulator(
  options: GlobalOptions,
  runtime: Runtime,
  work: (runtime: Runtime) => Promise<void>,
): Promise<void> {
  if (!options.emulator) return work(runtime);
  if (options.endpointUrl)
    throw usageError("--emulator and --endpoint-url name two different endpoints.", "Leave one of them out.");
  if (options.profile)
    throw usageError(
      "--emulator brings its own credentials; --profile has none for it.",
      "Leave one of them out.",
    );
  const { emulatedEnvironment, startEmulator } = await import("./emulator/emulator.ts");
  const emulator = await startEmulator();
  try {
    await work({ ...runtime, env: emulatedEnvironment(runtime.env, emulator), isEmulated: true });
  } finally {
    await emulator.stop();
  }
}

const REASONING_LEVELS = ["off", "minimal", "low", "medium", "high", "xhigh", "max"];
const SORT_FIELDS = ["name", "provider", "context", "max-output", "price-in", "price-out"];
const SHELLS = ["bash", "zsh", "fish"];
const SERVICE_TIERS = ["default", "priority", "flex", "reserved"];

function choice(flags: string, description: string, values: string[]): Option {
  return new Option(flags, description).choices(values);
}

function configured(command: Command, output: OutputConfiguration): Command {
  return command
    .configureOutput(output)
    .configureHelp({ showGlobalOptions: true })
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride();
}

/** The command that was meant, as far as the arguments name one: `openclaw models list`. */
function commandPath(root: Command, args: readonly string[]): string {
  let command = root;
  const names = [root.name()];
  for (const arg of args) {
    const child = command.commands.find((candidate) => candidate.name() === arg);
    if (!child) continue;
    command = child;
    names.push(arg);
  }
  return names.join(" ");
}

function toUsageError(error: CommanderError, path: string): OpenclawError {
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const sentence = message.endsWith(".") ? message : `${message}.`;
  const nearest = suggestion?.match(/Did you mean (?:one of )?(.*)\?/)?.[1];
  return usageError(
    sentence.charAt(0).toUpperCase() + sentence.slice(1),
    nearest ? `Did you mean ${nearest}?` : `${path} --help`,
  );
}
