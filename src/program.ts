import type { CompleteOptions } from "./commands/complete.ts";
import type { HelpOptions } from "./commands/help.ts";
import { declaredLater, flag, headed, needing, type Program } from "./command-line/declaration.ts";
import {
  integerFlag,
  numberFlag,
  repeatable,
  repeatableOf,
  textOrNothing,
} from "./command-line/flag-values.ts";
import { parameterFlags } from "./command-line/parameter-flags.ts";
import { VERSION } from "./version.ts";

const SORT_FIELDS = ["name", "provider", "context", "max-output", "price-in", "price-out"];
const USAGE_FIELDS = ["model", "day", "profile", "command", "key"];
const RETENTION_MODES = ["none", "default", "aws_review", "provider_data_share", "inherit"];
const GATES = ["region", "authorization", "entitlement", "agreement", "form", "retention"];
const EMBEDDING_TYPES = [
  "document",
  "query",
  "classification",
  "clustering",
  "search_document",
  "search_query",
];
const BATCH_FORMATS = ["bedrock", "openai", "messages", "plain"];
const JOB_STATES = [
  "Submitted",
  "Validating",
  "Scheduled",
  "InProgress",
  "Completed",
  "PartiallyCompleted",
  "Failed",
  "Stopping",
  "Stopped",
  "Expired",
];
/** Of `serve`, and of the commands that keep such a file. */
const KEY_FILE = flag(
  "--api-key-file <file>",
  "keys that clients may use, a line each: name:key, or of serve keys",
);
/** What bounds a run of lines, and what an estimate of one goes by. */
const MODEL_RATES = [
  flag("--rpm <number>", "requests in any minute, of each model (default: by its quota)", integerFlag(1)),
  flag("--tpm <tokens>", "tokens in any minute, of each model (default: by its quota)", integerFlag(1)),
];
const SHELLS = ["bash", "zsh", "fish"];

/** Every command: its name, flags and help, and the file that is loaded when it runs. */
export const PROGRAM: Program = {
  name: "openclaw",
  version: VERSION,
  description: "Amazon Bedrock from the command line: find credentials, list models, stream answers.",
  versionFlag: flag("-V, --version", "print the version"),
  flags: [
    flag("--config <file>", "configuration file to use"),
    flag("--profile <name>", "AWS profile; goes before every other credential source"),
    flag("--region <name>", "AWS region"),
    flag("--endpoint-url <url>", "endpoint of Bedrock and Bedrock Runtime"),
    flag("--emulator", "use a Bedrock inside this process instead of AWS"),
    flag("--emulator-script <file>", "the same, where models say what a JSON5 file has"),
    flag("--json", "print one JSON document"),
    flag("--no-color", "print without colours"),
    flag("-q, --quiet", "print no notices on stderr; warnings and errors stay"),
    flag("-v, --verbose", "show requests, retries and timings on stderr"),
  ],
  members: declaredLater({
    config: () => ({
      description: "Read and edit the configuration file.",
      members: {
        get: {
          description: "Print a setting.",
          load: () => import("./commands/config/get.ts"),
          isBrief: true,
          arguments: [{ notation: "[path]" }],
          flags: [flag("--effective", "print the value in force and where it comes from")],
        },
        set: {
          description: "Write a setting.",
          load: () => import("./commands/config/set.ts"),
          arguments: [{ notation: "[path]" }, { notation: "[value]" }],
          flags: [
            flag("--strict-json", "accept only JSON as the value"),
            flag("--merge", "add the entries of an object to those that are there"),
            flag("--replace", "let the value drop existing entries of a map"),
            flag("--batch-file <file>", "read a list of {path, value} from a JSON5 file, - for stdin"),
            flag("--force", "write a path that is not a known setting"),
            flag("--dry-run", "print the change and write nothing"),
          ],
        },
        unset: {
          description: "Remove a setting.",
          load: () => import("./commands/config/unset.ts"),
          arguments: [{ notation: "<path>" }],
          flags: [flag("--dry-run", "print the change and write nothing")],
        },
        patch: {
          description: "Merge an object into the configuration; null removes.",
          load: () => import("./commands/config/patch.ts"),
          flags: [
            flag("--file <file>", "read the object from a JSON5 file"),
            flag("--stdin", "read the object from stdin"),
            flag("--replace", "let a value drop existing entries of a map"),
            flag("--force", "write paths that are not known settings"),
            flag("--dry-run", "print the change and write nothing"),
          ],
        },
        file: {
          description: "Print the path of the configuration file.",
          load: () => import("./commands/config/file.ts"),
          isBrief: true,
        },
        list: {
          description: "List the settings in force and where they come from.",
          load: () => import("./commands/config/list.ts"),
        },
        edit: {
          description: "Edit the configuration file in $EDITOR and check it.",
          load: () => import("./commands/config/edit.ts"),
        },
        validate: {
          description: "Check the configuration file.",
          load: () => import("./commands/config/validate.ts"),
        },
        schema: {
          description: "Print a JSON Schema of the settings.",
          load: () => import("./commands/config/schema.ts"),
        },
      },
    }),
    models: () => ({
      description: "Find the models this account can call.",
      members: {
        list: {
          description: "List configured and discovered models.",
          load: () => import("./commands/models/list.ts"),
          isBrief: true,
          flags: [
            flag("--provider <name>", "only models of this provider (repeatable)", repeatable),
            flag("--search <text>", "only models whose id or name contains this text", textOrNothing),
            flag("--embeddings", "what `embed` can call, in place of what `chat` can"),
            flag("--all", "include legacy, provisioned-only and profile-only models"),
            flag("--sort <field>", "sort by a column", SORT_FIELDS),
            flag("--access", "ask AWS which of the listed models this identity can call"),
            flag("--plain", "print one model key a line"),
            flag("--refresh", "ask AWS now, whatever the cache holds"),
            flag("--offline", "never ask AWS"),
          ],
        },
        show: {
          description: "Show what is known about one model.",
          load: () => import("./commands/models/show.ts"),
          arguments: [{ notation: "<model>" }],
          flags: [flag("--access", "ask AWS whether this identity can call it")],
        },
        access: {
          description: "Show what stands between this identity and a model, and open it.",
          load: () => import("./commands/models/access.ts"),
          arguments: [{ notation: "[model]" }],
          flags: [
            flag("--accept-agreement", "accept the agreement about the model (asks for a yes)"),
            flag("--submit-form <file>", "send the use-case form, - for stdin (asks for a yes)"),
            flag("--form-template", "print the form to fill in"),
            flag(
              "--retention <mode>",
              "switch the account's data retention (asks for a yes)",
              RETENTION_MODES,
            ),
            flag("--yes", "say yes to what is opened"),
          ],
        },
        status: {
          description: "Show default model, credentials, region and cache.",
          load: () => import("./commands/models/status.ts"),
        },
        set: {
          description: "Set the default model.",
          load: () => import("./commands/models/set.ts"),
          arguments: [{ notation: "[model]" }],
          flags: [flag("--force", "set it although it is neither configured nor discovered")],
        },
        alias: {
          description: "Give a model a short name, or list the names.",
          load: () => import("./commands/models/alias.ts"),
          arguments: [{ notation: "[name]" }, { notation: "[model]" }],
          flags: [
            flag("--rm", "remove the name"),
            flag("--force", "take the model although it is neither configured nor discovered"),
          ],
        },
      },
    }),
    chat: () => ({
      description: "Ask a model and stream its answer.",
      load: () => import("./commands/chat.ts"),
      arguments: [{ notation: "[prompt...]" }],
      flags: [
        ...headed(
          "Question",
          flag(
            "-m, --model <model>",
            "model by key, id, ARN, alias or name; several, by commas, are tried in order",
          ),
          flag("-s, --system <text>", "system prompt"),
          flag("--system-file <file>", "read the system prompt from a file"),
          flag(
            "-f, --file <file>",
            "attach an image, document, video or recording: a path, s3://BUCKET/KEY, or - for stdin (repeatable)",
            repeatable,
          ),
          flag("-t, --template <name>", "ask what this template of the configuration asks"),
          flag("-p, --param <name=value>", "value of a parameter of the template (repeatable)", repeatable),
          flag("--session <id>", "go on with this session, or begin it"),
          flag("-c, --continue", "go on with the latest session of this folder"),
        ),
        ...headed(
          "Answer",
          ...parameterFlags("length and sampling"),
          ...parameterFlags("reasoning"),
          flag("--schema <file|json>", "answer with JSON that fits this JSON Schema"),
          flag("--citations", "name the places in attached PDF and text that the answer is from"),
          flag("--web", "let the model search the web, and name the pages that the answer is from"),
        ),
        ...headed(
          "Tools",
          flag(
            "--tool <name>",
            "let the model call this tool; a built-in one stays in a folder: read-file:DIR (repeatable)",
            repeatable,
          ),
          flag(
            "--mcp <server>",
            "let it call the tools of this MCP server of the configuration (repeatable)",
            repeatable,
          ),
          flag(
            "--allow <pattern>",
            "run calls of tools that fit, such as files__*, without asking (repeatable)",
            repeatable,
          ),
          flag(
            "--max-steps <number>",
            "most rounds in which it calls tools (default: 20)",
            integerFlag(1, 1000),
          ),
          flag("--no-run", "run no call: print the calls, and end"),
          flag(
            "--tool-result <file>",
            "go on with what the calls of the session came to, JSON a line, - for stdin",
          ),
        ),
        ...headed(
          "Output",
          flag("-o, --output <file>", "write the answer to this file when it is whole, - for stdout"),
          flag("-x, --extract", "print the first code block of the answer alone"),
          flag("--raw", "print the text as the model wrote it, on a terminal too"),
          flag("--show-reasoning", "print the model's reasoning on stderr"),
          flag("--no-stream", "print the answer when it is whole"),
          flag("--usage", "print tokens, price and timings on stderr"),
          flag("--ndjson", "print one JSON event a line as it arrives"),
          flag("--no-save", "write nothing of the conversation to the disk"),
        ),
        ...headed(
          "Limits",
          flag("--timeout <seconds>", "give up when the whole call takes longer", numberFlag(0.001)),
          flag(
            "--first-token-timeout <seconds>",
            "give up when nothing arrives for so long (default: 120, or 900 for a model that reasons)",
            numberFlag(0.001),
          ),
          {
            ...flag(
              "--wait-for-quota [seconds]",
              "wait for room in the quota in place of being throttled (default: 600, --timeout at most)",
              numberFlag(0.001),
            ),
            preset: "600",
          },
          flag("--max-cost <usd>", "most that one call may cost, by list prices", numberFlag(0)),
          flag("--ignore-budget", "ask although a budget of the configuration is spent"),
          flag("--dry-run", "print the request and what it would cost, send nothing billed"),
        ),
        ...headed(
          "Bedrock",
          ...parameterFlags("cache"),
          ...parameterFlags("service"),
          flag("--guardrail <id:version>", "guardrail to apply"),
          flag("--guardrail-trace", "ask which of the guardrail's policies act"),
          flag("--metadata <key=value>", "mark the call in the invocation logs (repeatable)", repeatable),
        ),
      ],
    }),
    embed: () => ({
      description: "Turn texts into vectors.",
      load: () => import("./commands/embed.ts"),
      arguments: [{ notation: "[text...]" }],
      flags: [
        flag("-m, --model <model>", "embedding model by key, id, ARN, alias or name"),
        flag("--lines", "embed each line of stdin below the quotas, and print a line for each"),
        flag("--rpm <number>", "most requests a minute (default: the account's quota)", integerFlag(1)),
        flag("--tpm <tokens>", "most tokens a minute (default: the account's quota)", integerFlag(1)),
        flag("--dimensions <number>", "length of the vectors", integerFlag(1)),
        flag("--input-type <type>", "what the texts are for", EMBEDDING_TYPES),
        flag("--timeout <seconds>", "give up when all of it takes longer", numberFlag(0.001)),
        flag("--max-cost <usd>", "most that it may cost, by list prices", numberFlag(0)),
        flag("--ignore-budget", "embed although a budget of the configuration is spent"),
      ],
    }),
    batch: () => ({
      description: "Ask the prompts of a file, one a line.",
      members: {
        run: {
          description: "Ask every line from this machine, many at once and below the quotas.",
          load: () => import("./commands/batch/run.ts"),
          arguments: [{ notation: "<file>" }],
          flags: [
            flag("-m, --model <model>", "model for all lines; several, by commas, are tried in order"),
            flag("-o, --output <file>", "write a result a line to this file, in the order of the lines"),
            flag("--resume", "go on with a run that was stopped: nothing is asked twice"),
            flag("--retry-failed", "with --resume: ask lines again that have no answer"),
            flag("--overwrite", "begin anew where the output is there already"),
            flag("--lines", "each line is a prompt, whatever it looks like"),
            flag("--format <format>", "what results look like (default: as the lines do)", BATCH_FORMATS),
            flag(
              "--concurrency <number>",
              "lines of one model that are asked at once, at most",
              integerFlag(1, 1000),
            ),
            ...MODEL_RATES,
            flag("--max-tokens <tokens>", "most tokens of an answer whose line names none", integerFlag(1)),
            flag("--deadline <time>", "be done in this time: 2h; in the tier flex as long as that makes it"),
            flag("--max-cost <usd>", "most that the whole run may cost, by list prices", numberFlag(0)),
            flag("--ignore-budget", "ask although a budget of the configuration is spent"),
          ],
        },
        estimate: {
          description: "Tell what the lines of a file would cost by each road, and how long they take.",
          load: () => import("./commands/batch/estimate.ts"),
          arguments: [{ notation: "<file>" }],
          flags: [
            flag("-m, --model <model>", "model for all lines (default: the one that each line names)"),
            flag("--lines", "each line is a prompt, whatever it looks like"),
            flag("--output-tokens <tokens>", "what an answer mostly has", integerFlag(1)),
            flag("--max-tokens <tokens>", "most tokens of an answer whose line names none", integerFlag(1)),
            ...MODEL_RATES,
          ],
        },
        submit: {
          description: "Make a job of Bedrock's batch inference: half the price, up to 24 hours.",
          load: () => import("./commands/batch/submit.ts"),
          arguments: [{ notation: "<file>" }],
          flags: [
            flag("-m, --model <model>", "model for all lines, by key, id, ARN, alias or name"),
            flag("--s3 <uri>", "where records go and results come: s3://BUCKET/PREFIX"),
            flag("--role <arn>", "role that Bedrock reads and writes there as; batch role makes one"),
            flag("--wait", "wait until the job has ended"),
            flag("--lines", "each line is a prompt, whatever it looks like"),
            flag("--name <name>", "name of the job (default: the file's, and digits)"),
            flag("--timeout-hours <number>", "hours after which AWS ends it", integerFlag(24, 168)),
            flag("--kms-key <key>", "encrypt records and results with this KMS key: ARN, id or alias"),
            flag("--bucket-owner <account>", "account that the bucket has to belong to"),
            flag("--tag <key=value>", "tag of the job (repeatable)", repeatable),
            flag("--again", "make a new job, though the same one was submitted before"),
          ],
        },
        list: {
          description: "List the jobs, the latest first.",
          load: () => import("./commands/batch/list.ts"),
          flags: [
            flag("--status <status>", "only jobs in this state", JOB_STATES),
            flag("--search <text>", "only jobs whose name contains this text"),
            flag("--limit <number>", "so many at most", integerFlag(1, 10_000), 50),
          ],
        },
        status: {
          description: "Show where a job is.",
          load: () => import("./commands/batch/status.ts"),
          arguments: [{ notation: "[job]" }],
          flags: [flag("--wait", "wait until it has ended")],
        },
        results: {
          description: "Write the results of a job in the order of its lines.",
          load: () => import("./commands/batch/results.ts"),
          arguments: [{ notation: "[job]" }],
          flags: [
            flag("-o, --output <file>", "write a result a line to this file, when all are there"),
            flag("--failed <file>", "write the lines without an answer to this file, to ask them again"),
            flag("--format <format>", "what results look like (default: as the lines do)", BATCH_FORMATS),
            flag("--input <file>", "the file that was submitted (default: the records in S3)"),
            flag("--wait", "wait until the job has ended"),
          ],
        },
        stop: {
          description: "Stop a job; what it has answered stays.",
          load: () => import("./commands/batch/stop.ts"),
          arguments: [{ notation: "<job>" }],
        },
        role: {
          description: "Print what makes the role that jobs need for a bucket.",
          load: () => import("./commands/batch/role.ts"),
          flags: [
            flag("--s3 <uri>", "the bucket, and what is below: s3://BUCKET/PREFIX"),
            flag("--name <name>", "name of the role", undefined, "openclaw-batch"),
            flag("-m, --model <model>", "let it call the inference profile of this model, too"),
            flag("--kms-key <key>", "KMS key that the bucket is encrypted with: ARN or id"),
            flag("--bucket-owner <account>", "account of the bucket (default: the role's)"),
          ],
        },
      },
    }),
    sessions: () => ({
      description: "Look at the conversations that are kept on this machine.",
      members: {
        list: {
          description: "List the sessions.",
          load: () => import("./commands/sessions/list.ts"),
          flags: [flag("--here", "only those begun in this folder")],
        },
        show: {
          description: "Print a session as it went.",
          load: () => import("./commands/sessions/show.ts"),
          arguments: [{ notation: "[id]" }],
          flags: [flag("--raw", "print the text as the model wrote it, on a terminal too")],
        },
        export: {
          description: "Print a session as Markdown, or as JSON with --json.",
          load: () => import("./commands/sessions/export.ts"),
          arguments: [{ notation: "[id]" }],
        },
        search: {
          description: "Find what was said in the sessions.",
          load: () => import("./commands/sessions/search.ts"),
          arguments: [{ notation: "<text...>" }],
          flags: [flag("--here", "only in those begun in this folder")],
        },
        rename: {
          description: "Give a session another name.",
          load: () => import("./commands/sessions/rename.ts"),
          arguments: [{ notation: "<id>" }, { notation: "<name>" }],
        },
        rm: {
          description: "Remove sessions.",
          load: () => import("./commands/sessions/rm.ts"),
          arguments: [{ notation: "[ids...]" }],
          flags: [
            flag(
              "--older-than <time>",
              "remove all that were last written before, such as 30d or 2026-01-31",
            ),
            flag("--dry-run", "print what would be removed and remove nothing"),
          ],
        },
      },
    }),
    tools: () => ({
      description: "Look at the tools that a model may call, and run them.",
      members: {
        list: {
          description: "List the tools: built in, of the configuration, of MCP servers.",
          load: () => import("./commands/tools/list.ts"),
          flags: [
            flag("--mcp <server>", "start this MCP server and list its tools, too (repeatable)", repeatable),
          ],
        },
        run: {
          description: "Run a tool as a model would.",
          load: () => import("./commands/tools/run.ts"),
          arguments: [{ notation: "<tool>" }, { notation: "[input]" }],
          flags: [flag("--timeout <seconds>", "give up when it takes longer", numberFlag(0.001))],
        },
      },
    }),
    templates: () => ({
      description: "Look at the questions that are kept in the configuration, and edit them.",
      members: {
        list: {
          description: "List the templates.",
          load: () => import("./commands/templates/list.ts"),
        },
        show: {
          description: "Print a template.",
          load: () => import("./commands/templates/show.ts"),
          arguments: [{ notation: "<name>" }],
        },
        edit: {
          description: "Edit a template in $EDITOR, or make it.",
          load: () => import("./commands/templates/edit.ts"),
          arguments: [{ notation: "<name>" }],
        },
      },
    }),
    usage: () => ({
      description: "Show what the calls of this machine used and cost.",
      load: () => import("./commands/usage.ts"),
      flags: [
        flag("--since <time>", "from when on: 7d, 12h, today, month, 2026-01-31", undefined, "30d"),
        flag("--by <field>", "sum up by", USAGE_FIELDS, "model"),
        flag("--csv", "print comma-separated values with a header"),
      ],
    }),
    quota: () => ({
      description: "Show what this account may ask of a model in a minute and a day.",
      load: () => import("./commands/quota.ts"),
      arguments: [{ notation: "[model]" }],
      flags: [
        flag("--input-tokens <tokens>", "tokens of a call's input: does it fit?", integerFlag(0)),
        flag(
          "--max-tokens <tokens>",
          "most tokens of its answer (default: the model's most)",
          integerFlag(1),
        ),
      ],
    }),
    doctor: () => ({
      description: "Check credentials, region, permissions and configuration.",
      load: () => import("./commands/doctor.ts"),
      flags: [
        flag("--probe", "add one small billed call"),
        flag("--batch <uri>", "add what batch jobs need, with their place: s3://BUCKET/PREFIX"),
        flag("--role <arn>", "role that those jobs run as"),
      ],
    }),
    iam: () => ({
      description: "Write the permissions that this configuration needs.",
      members: {
        policy: {
          description: "Print the least-privilege IAM policy for this configuration.",
          load: () => import("./commands/iam/policy.ts"),
          flags: [
            flag(
              "--for <purposes>",
              "what it is for, by commas: discovery, chat, embed, serve, doctor (default: all these), quota, batch, access",
            ),
            flag("--s3 <uri>", "where the jobs of batch read and write: s3://BUCKET/PREFIX"),
            flag("--role <arn>", "role that those jobs run as"),
            flag("--kms-key <arn>", "key that their bucket is encrypted with"),
          ],
        },
      },
    }),
    emulator: () => ({
      description: "Run a simulated Bedrock on this machine.",
      isEmulator: true,
      load: () => import("./commands/emulator.ts"),
      flags: [
        flag("--port <number>", "port to listen on (default: any free one)", integerFlag(0, 65535)),
        flag("--host <host>", "loopback address to listen on", undefined, "127.0.0.1"),
        flag("--fault <fault>", "let a call fail: ROUTE[:CALL]=FAULT[@DELTAS] (repeatable)", repeatable),
        {
          ...flag("--close <gate>", "close a gate to models, as AWS does (repeatable)", repeatableOf(GATES)),
          choices: GATES,
        },
        flag("--tpm <tokens>", "hold calls to so many tokens a minute: N, or OF=N (repeatable)", repeatable),
        flag("--rpm <requests>", "the same for requests", repeatable),
        flag("--job-seconds <seconds>", "how long a model invocation job takes", numberFlag(0, 604_800), 10),
        flag("--job-records <number>", "fewest records of such a job", integerFlag(1, 50_000), 100),
        flag("--upstream <url>", "OpenAI-compatible server whose model answers Converse calls"),
        flag("--upstream-model <model>", "model of that server that answers"),
      ],
    }),
    serve: () => ({
      description: "Serve every model to programs that speak OpenAI's API, or another.",
      load: () => import("./commands/serve.ts"),
      flags: [
        flag("--port <number>", "port to listen on; 0 takes any free one", integerFlag(0, 65535), 8080),
        flag(
          "--host <host>",
          "address to listen on; other than loopback it needs a key",
          undefined,
          "127.0.0.1",
        ),
        KEY_FILE,
        flag("--regions <names>", "regions to ask, by commas: one that is throttled or out is passed over"),
        flag("--pace", "keep calls below the account's quotas: what has no room waits for its turn"),
        ...needing(
          ["--pace", "--tpm", "--rpm"],
          flag(
            "--pace-wait <seconds>",
            "longest wait of a call for its turn, then 429",
            numberFlag(0, 3600),
            30,
          ),
        ),
        flag("--tpm <tokens>", "--pace by this quota of tokens a minute, of each model", integerFlag(1)),
        flag("--rpm <number>", "--pace by this quota of requests a minute, of each model", integerFlag(1)),
        flag("--tls-cert <file>", "speak TLS with this certificate and its chain, PEM; needs --tls-key"),
        flag("--tls-key <file>", "the key of --tls-cert, PEM"),
        flag(
          "--map <name=model>",
          "let a name stand for a model, or several by commas (repeatable)",
          repeatable,
        ),
        flag("--cors <origin>", "let pages of this origin call the server (repeatable)", repeatable),
        flag("--allow-remote-images", "fetch images that a request names by their URL"),
        flag("--max-streams <number>", "answers at once; more are told to try again", integerFlag(1), 1000),
        flag("--max-body <megabytes>", "largest request", numberFlag(0.001, 1024), 32),
        flag(
          "--max-in-flight <megabytes>",
          "bodies of all running requests together; more are told to try again",
          numberFlag(0.001, 65_536),
          256,
        ),
        flag("--read-timeout <seconds>", "time for a request to arrive whole", numberFlag(0.1, 3600), 60),
        flag(
          "--idle-timeout <seconds>",
          "close a connection that nobody uses or reads",
          numberFlag(1, 86_400),
          120,
        ),
        flag(
          "--heartbeat <seconds>",
          "how often a waiting stream shows that it lives",
          numberFlag(0.05, 3600),
          15,
        ),
        flag(
          "--drain-timeout <seconds>",
          "time for running answers after SIGTERM",
          numberFlag(0, 86_400),
          30,
        ),
        flag("--strict", "refuse fields of requests that this server does not know"),
        flag("--log-content", "write prompts and answers into the log, too"),
        flag(
          "--metrics-port <number>",
          "tell /metrics here, without a key, and not on the other port",
          integerFlag(0, 65535),
        ),
        ...needing(
          ["--metrics-port"],
          flag("--metrics-host <host>", "address for --metrics-port", undefined, "127.0.0.1"),
        ),
        ...needing(
          ["--api-key-file"],
          flag(
            "--shared <url>",
            "Redis in which several servers count what keys ask: redis://… or rediss://…",
          ),
        ),
        ...needing(
          ["--shared"],
          flag(
            "--on-store-loss <what>",
            "while that is away, count apart (allow) or refuse keys with limits (deny)",
            ["allow", "deny"],
            "allow",
          ),
        ),
        flag("--ignore-budget", "answer although a budget of the configuration is spent"),
      ],
      members: {
        keys: {
          description: "Make, list and revoke the keys of clients.",
          members: {
            add: {
              description: "Make a key, and print it once; the file keeps its digest.",
              load: () => import("./commands/serve/keys/add.ts"),
              arguments: [{ notation: "<name>" }],
              flags: [
                KEY_FILE,
                flag(
                  "--models <patterns...>",
                  "models that it may ask, by any name, * standing for anything; several, by commas, too (repeatable)",
                  repeatable,
                ),
                flag("--rpm <number>", "requests in any minute", integerFlag(1)),
                flag("--tpm <tokens>", "tokens in any minute", integerFlag(1)),
                flag(
                  "--daily-budget <usd>",
                  "what it may spend in a day of UTC, by list prices",
                  numberFlag(0),
                ),
                flag("--monthly-budget <usd>", "what it may spend in a month of UTC", numberFlag(0)),
                flag("--expires <time>", "when it ends: in so long (90d, 12h), or a date"),
              ],
            },
            list: {
              description: "List the keys of a file, their limits, and what was spent with each.",
              load: () => import("./commands/serve/keys/list.ts"),
              flags: [KEY_FILE],
            },
            revoke: {
              description: "Take a key out of a file; running servers refuse it within seconds.",
              load: () => import("./commands/serve/keys/revoke.ts"),
              arguments: [{ notation: "<name>" }],
              flags: [KEY_FILE],
            },
          },
        },
      },
    }),
    mcp: () => ({
      description: "Look at MCP servers, call their tools, and be one.",
      members: {
        list: {
          description: "List the MCP servers.",
          load: () => import("./commands/mcp/list.ts"),
          flags: [flag("--check", "start each, and count what it offers")],
        },
        tools: {
          description: "Start an MCP server and list its tools.",
          load: () => import("./commands/mcp/tools.ts"),
          arguments: [{ notation: "<server>" }],
        },
        call: {
          description: "Call a tool of an MCP server.",
          load: () => import("./commands/mcp/call.ts"),
          arguments: [{ notation: "<server>" }, { notation: "<tool>" }, { notation: "[input]" }],
          flags: [flag("--timeout <seconds>", "give up when it takes longer", numberFlag(0.001))],
        },
        serve: {
          description: "Offer models to programs that speak MCP, over stdin and stdout.",
          load: () => import("./commands/mcp/serve.ts"),
          flags: [
            flag("-m, --model <model>", "model that is asked where a call names none; several, by commas"),
            flag(
              "--allow-model <pattern>",
              "let only models be named whose id or key fits, * standing for anything (repeatable)",
              repeatable,
            ),
            flag("--max-cost <usd>", "most that one call may cost, by list prices", numberFlag(0)),
            flag("--ignore-budget", "answer although a budget of the configuration is spent"),
          ],
        },
      },
    }),
    help: () => ({
      description: "Read about a command or a topic.",
      load: async () => {
        const { run } = await import("./commands/help.ts");
        return {
          run: (options: Omit<HelpOptions, "program">, runtime) =>
            run({ ...options, program: PROGRAM }, runtime),
        };
      },
      arguments: [{ notation: "[topic...]" }],
    }),
    completion: () => ({
      description: "Print the script that makes a shell complete commands.",
      load: () => import("./commands/completion.ts"),
      arguments: [{ notation: "<shell>", choices: SHELLS }],
    }),
    complete: () => ({
      description: "Print what may stand at the cursor; completion scripts call it.",
      isHidden: true,
      load: async () => {
        const { run } = await import("./commands/complete.ts");
        return {
          run: (options: Omit<CompleteOptions, "program">, runtime) =>
            run({ ...options, program: PROGRAM }, runtime),
        };
      },
      arguments: [{ notation: "<shell>", choices: SHELLS }, { notation: "[words...]" }],
    }),
  }),
};
