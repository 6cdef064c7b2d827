import type { TopicName } from "./topics.ts";

export interface Example {
  line: string;
  says?: string;
}

/** What the help of a command ends with. A test runs every example, and compares the fields with what a pipe gets. */
export interface Closing {
  /** The help shows the first three, the command's page all. */
  examples: readonly Example[];
  /** What to read about it. */
  topic: TopicName;
  /** The fields of a line in a pipe, which are separated by tabs, where it prints a table; `when` says when it does. */
  piped?: { fields: readonly string[]; when?: string };
}

const say = (line: string, says?: string): Example => (says === undefined ? { line } : { line, says });

/** Of every command by its words, in the order in which they are declared. */
const CLOSINGS: Readonly<Record<string, Closing>> = {
  "config get": {
    examples: [
      say("openclaw config get", "the whole file, secrets masked"),
      say("openclaw config get --effective", "what is in force, and where each value comes from"),
      say("openclaw config get --effective models.bedrockDiscovery.region"),
    ],
    topic: "config",
    piped: { fields: ["setting", "value", "source"], when: "--effective" },
  },
  "config set": {
    examples: [
      say("openclaw config set models.bedrockDiscovery.region us-east-1"),
      say(`openclaw config set models.bedrockDiscovery.providerFilter '["anthropic", "amazon"]'`),
      say(
        "openclaw config set --dry-run models.bedrockDiscovery.refreshInterval 600",
        "shows the change, writes nothing",
      ),
    ],
    topic: "config",
  },
  "config unset": {
    examples: [
      say("openclaw config unset models.bedrockDiscovery.region"),
      say(
        "openclaw config unset --dry-run models.bedrockDiscovery.region",
        "shows the change, writes nothing",
      ),
    ],
    topic: "config",
  },
  "config patch": {
    examples: [
      say("openclaw config patch --file changes.json5"),
      say(
        `echo '{ models: { bedrockDiscovery: { region: null } } }' | openclaw config patch --stdin`,
        "null removes",
      ),
    ],
    topic: "config",
  },
  "config file": {
    examples: [say("openclaw config file"), say('cp "$(openclaw config file)" backup.json5')],
    topic: "config",
  },
  "config list": {
    examples: [
      say("openclaw config list"),
      say("openclaw config list | cut -f1,2", "paths and values only"),
      say("openclaw config list --json", "see docs/schemas/config-get-effective.schema.json"),
    ],
    topic: "config",
    piped: { fields: ["setting", "value", "source"] },
  },
  "config edit": {
    examples: [
      say("openclaw config edit"),
      say("EDITOR=true openclaw config edit --json", "see docs/schemas/config-edit.schema.json"),
    ],
    topic: "config",
  },
  "config validate": {
    examples: [
      say("openclaw config validate"),
      say("openclaw config validate --json", "see docs/schemas/config-validate.schema.json"),
    ],
    topic: "config",
  },
  "config schema": {
    examples: [
      say("openclaw config schema > openclaw.schema.json"),
      say("openclaw config schema | head -20"),
    ],
    topic: "config",
  },
  "models list": {
    examples: [
      say("openclaw models list"),
      say("openclaw models list --provider anthropic --provider mistral"),
      say("openclaw models list --sort price-out --search claude"),
      say("openclaw models list --access", "what this identity can really call, and why not the rest"),
      say("openclaw models list --plain | head -1", "keys only, for scripts"),
      say("openclaw models list --json", "see docs/schemas/models-list.schema.json"),
    ],
    topic: "models",
    piped: {
      fields: [
        "key",
        "name",
        "input",
        "context window",
        "output limit",
        "price in",
        "price out",
        "reasoning",
        "tags",
        "access (where it was asked for)",
      ],
    },
  },
  "models show": {
    examples: [
      say("openclaw models show us.anthropic.claude-opus-4-6-v1"),
      say("openclaw models show arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"),
      say("openclaw models show us.amazon.nova-pro-v1:0 --access"),
    ],
    topic: "models",
  },
  "models access": {
    examples: [
      say("openclaw models access opus", "each gate, and what opens it"),
      say("openclaw models access --form-template > form.json", "the use-case form, to fill in"),
      say(
        "openclaw models access opus --submit-form form.json",
        "on a terminal: says what is shared with whom, and asks for a yes",
      ),
      say("openclaw models access opus --accept-agreement --yes", "for scripts: the yes is said already"),
      say("openclaw models access opus --json", "see docs/schemas/models-access.schema.json"),
    ],
    topic: "access",
    piped: { fields: ["gate", "status", "AWS's word", "what stands there", "what opens it"] },
  },
  "models status": {
    examples: [say("openclaw models status"), say("openclaw models status --json")],
    topic: "credentials",
  },
  "models set": {
    examples: [say("openclaw models set us.anthropic.claude-opus-4-6-v1"), say("openclaw models set opus")],
    topic: "models",
  },
  "models alias": {
    examples: [
      say("openclaw models alias fast amazon.nova-lite-v1:0", "then: openclaw chat -m fast"),
      say("openclaw models alias", "the names there are"),
      say("openclaw models alias fast amazon.nova-lite-v1:0 && openclaw models alias --rm fast"),
    ],
    topic: "models",
    piped: { fields: ["name", "model"] },
  },
  chat: {
    examples: [
      say('openclaw chat "Why is the sky blue?"'),
      say('cat notes.txt | openclaw chat "Summarize these notes."'),
      say('openclaw chat -m us.anthropic.claude-opus-4-6-v1 --max-tokens 500 "Write a haiku."'),
      say('openclaw chat --json "Name three colours." > answer.json'),
      say(
        'openclaw chat -m us.amazon.nova-2-lite-v1:0 -f s3://my-bucket/talk.mp4 "Sum it up."',
        "a video that stays in Amazon S3",
      ),
      say("openclaw chat", "on a terminal: a conversation"),
      say('openclaw chat --session build-42 "And the second one?"', "the next question of one that is kept"),
      say('openclaw chat -x -o hello.py "A Python program that says hello."', "the code alone, into a file"),
      say("openclaw chat -t review -p lang=German < notes.txt", "asks what a template asks"),
      say(
        'openclaw chat --tool read-file:. --tool list-files:. --allow "*-file*" "What is in this folder?"',
        "the model reads what it needs",
      ),
      say(
        'openclaw chat --tool read-file --no-run --session build-42 --json "What does notes.txt say?"',
        "its calls are left to a script, which goes on with --tool-result",
      ),
    ],
    topic: "chat",
  },
  embed: {
    examples: [
      say('openclaw embed -m amazon.titan-embed-text-v2:0 "What is a vector?" --json'),
      say("printf 'one\\ntwo\\n' | openclaw embed --lines > vectors.ndjson", "a line for each"),
      say("openclaw config set agents.defaults.embeddingModel cohere.embed-v4:0"),
      say('openclaw embed --dimensions 256 "short vectors"'),
      say('openclaw embed --json "a text" "another"', "see docs/schemas/embed.schema.json"),
    ],
    topic: "embed",
  },
  "batch estimate": {
    examples: [
      say("openclaw batch estimate prompts.jsonl -m haiku"),
      say("openclaw batch estimate prompts.jsonl -m haiku --output-tokens 250", "answers are short"),
      say("openclaw batch estimate prompts.txt --lines -m nova-micro", "a prompt a line"),
      say("openclaw batch estimate prompts.jsonl --json", "see docs/schemas/batch-estimate.schema.json"),
    ],
    topic: "costs",
    piped: {
      fields: [
        "road (run, run-flex, submit)",
        "USD (empty where unknown)",
        "USD at most",
        "seconds at least; of submit at most. What a job would refuse has a line of its own: refused, and why",
      ],
    },
  },
  "batch run": {
    examples: [
      say("openclaw batch run prompts.jsonl -m us.amazon.nova-lite-v1:0 -o answers.jsonl"),
      say(
        "openclaw batch run prompts.jsonl -o answers.jsonl --resume",
        "goes on where it was stopped; nothing is asked twice",
      ),
      say("openclaw batch run prompts.jsonl -o answers.jsonl --max-cost 5", "stops before it is passed"),
      say("openclaw batch run prompts.jsonl -o answers.jsonl --rpm 100 --tpm 200000", "in any minute"),
      say("cat prompts.txt | openclaw batch run - --lines > answers.jsonl", "each line is a prompt"),
      say(
        "openclaw batch run prompts.jsonl -o answers.jsonl --json",
        "see docs/schemas/batch-run.schema.json",
      ),
    ],
    topic: "batch",
  },
  "batch submit": {
    examples: [
      say(
        "openclaw batch submit lines.jsonl -m nova-lite --s3 s3://my-bucket/batch --role arn:aws:iam::123456789012:role/openclaw-batch",
      ),
      say(
        "openclaw batch submit lines.jsonl -m nova-lite --s3 s3://my-bucket/batch --role arn:aws:iam::123456789012:role/openclaw-batch --name nightly --wait",
        "until the job has ended",
      ),
    ],
    topic: "batch",
  },
  "batch list": {
    examples: [
      say("openclaw batch list"),
      say("openclaw batch list --status InProgress"),
      say("openclaw batch list --json", "see docs/schemas/batch-list.schema.json"),
    ],
    topic: "batch",
    piped: {
      fields: [
        "id",
        "name",
        "status",
        "processed records",
        "records",
        "failed records",
        "submitted",
        "model",
      ],
    },
  },
  "batch status": {
    examples: [
      say("openclaw batch status", "the last one that was submitted from this machine"),
      say("openclaw batch status nightly --wait", "by its name, its id or its ARN"),
    ],
    topic: "batch",
  },
  "batch results": {
    examples: [
      say("openclaw batch results -o out.jsonl --failed again.jsonl", "of the last one"),
      say("openclaw batch results nightly --format plain | jq -r .text"),
    ],
    topic: "batch",
  },
  "batch stop": {
    examples: [say("openclaw batch stop nightly"), say("openclaw batch stop nightly --json")],
    topic: "batch",
  },
  "batch role": {
    examples: [
      say("openclaw batch role --s3 s3://my-bucket/batch", "shell commands, to read before they are run"),
      say("openclaw batch role --s3 s3://my-bucket/batch -m nova-lite --json", "the policies alone"),
    ],
    topic: "batch",
  },
  "sessions list": {
    examples: [
      say("openclaw sessions list"),
      say("openclaw sessions list --here"),
      say("openclaw sessions list | cut -f1", "ids only, for scripts"),
      say("openclaw sessions list --json", "see docs/schemas/sessions-list.schema.json"),
    ],
    topic: "sessions",
    piped: { fields: ["id", "time of the last turn", "turns", "first question", "model", "folder"] },
  },
  "sessions show": {
    examples: [
      say("openclaw sessions show build-42"),
      say("openclaw sessions show build-42 --json", "see docs/schemas/sessions-show.schema.json"),
    ],
    topic: "sessions",
  },
  "sessions export": {
    examples: [
      say("openclaw sessions export build-42 > build-42.md"),
      say("openclaw sessions export build-42 --json > build-42.json"),
    ],
    topic: "sessions",
  },
  "sessions search": {
    examples: [
      say("openclaw sessions search first question"),
      say("openclaw sessions search --here question | cut -f1 | uniq", "names of sessions only, for scripts"),
      say("openclaw sessions search --json question", "see docs/schemas/sessions-search.schema.json"),
    ],
    topic: "sessions",
    piped: { fields: ["session", "number of the turn", "question or answer", "the words around it"] },
  },
  "sessions rename": {
    examples: [
      say("openclaw sessions rename build-42 release-notes"),
      say("openclaw sessions rename build-42 release-notes --json"),
    ],
    topic: "sessions",
  },
  "sessions rm": {
    examples: [
      say("openclaw sessions rm build-42"),
      say("openclaw sessions rm --older-than 30d", "that nobody has written to for so long"),
      say("openclaw sessions rm $(openclaw sessions list --here | cut -f1)", "all of this folder"),
    ],
    topic: "sessions",
  },
  "tools list": {
    examples: [
      say("openclaw tools list"),
      say("openclaw tools list | cut -f1", "names only, for scripts"),
      say("openclaw tools list --json", "see docs/schemas/tools-list.schema.json"),
    ],
    topic: "tools",
    piped: { fields: ["name", "where it is from", "ask, always or never", "what it does"] },
  },
  "tools run": {
    examples: [
      say(`openclaw tools run read-file:. '{"path":"notes.txt"}'`),
      say(`echo '{"path":"."}' | openclaw tools run list-files`),
      say(
        `openclaw tools run read-file '{"path":"notes.txt"}' --json`,
        "see docs/schemas/tools-run.schema.json",
      ),
    ],
    topic: "tools",
  },
  "mcp list": {
    examples: [
      say("openclaw mcp list"),
      say("openclaw mcp list --check", "starts each, and counts what it offers"),
      say("openclaw mcp list --json", "see docs/schemas/mcp-list.schema.json"),
    ],
    topic: "tools",
    piped: { fields: ["name", "what it offers, with --check", "command or address"] },
  },
  "mcp tools": {
    examples: [
      say("openclaw mcp tools files"),
      say("openclaw mcp tools files --json", "see docs/schemas/mcp-tools.schema.json"),
    ],
    topic: "tools",
    piped: { fields: ["name, for --tool and --allow", "what it does"] },
  },
  "mcp call": {
    examples: [
      say(`openclaw mcp call files read_text_file '{"path":"notes.txt"}'`),
      say(`echo '{"path":"."}' | openclaw mcp call files list_directory`),
      say(
        `openclaw mcp call files list_directory '{"path":"."}' --json`,
        "see docs/schemas/tools-run.schema.json",
      ),
    ],
    topic: "tools",
  },
  "templates list": {
    examples: [
      say("openclaw templates list"),
      say("openclaw templates list --json", "see docs/schemas/templates-list.schema.json"),
    ],
    topic: "templates",
    piped: { fields: ["name", "parameters, with = and a default", "model", "what it asks"] },
  },
  "templates show": {
    examples: [say("openclaw templates show review"), say("openclaw templates show review | head -2")],
    topic: "templates",
  },
  "templates edit": {
    examples: [
      say("openclaw templates edit review"),
      say("EDITOR=true openclaw templates edit review --json", "see docs/schemas/templates-edit.schema.json"),
    ],
    topic: "templates",
  },
  usage: {
    examples: [
      say("openclaw usage"),
      say("openclaw usage --since today --by command"),
      say("openclaw usage --since 7d --by day --csv > usage.csv"),
      say("openclaw usage --json", "see docs/schemas/usage.schema.json"),
    ],
    topic: "costs",
    piped: {
      fields: [
        "name",
        "calls",
        "tokens in",
        "tokens out",
        "tokens read from the cache",
        "tokens written to it",
        "USD (empty where unknown)",
        "calls without a known price",
      ],
    },
  },
  quota: {
    examples: [
      say("openclaw quota"),
      say("openclaw quota opus --input-tokens 50000 --max-tokens 4096", "does one call fit?"),
      say("openclaw quota us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
      say("openclaw quota --json", "see docs/schemas/quota.schema.json"),
    ],
    topic: "quotas",
    piped: {
      fields: [
        "id that is called",
        "way (on-demand, cross-region, global, mantle)",
        "requests a minute",
        "tokens a minute (input+output for mantle)",
        "tokens a day",
        "most requests in a minute lately",
        "most tokens in a minute lately",
        "throttled calls",
      ],
      when: "neither --input-tokens nor --max-tokens",
    },
  },
  doctor: {
    examples: [
      say("openclaw doctor"),
      say("openclaw doctor --json", "see docs/schemas/doctor.schema.json"),
      say("openclaw doctor --probe"),
      say(
        "openclaw doctor --batch s3://my-bucket/batch --role arn:aws:iam::123456789012:role/openclaw-batch",
        "before the first batch submit",
      ),
    ],
    topic: "credentials",
  },
  "iam policy": {
    examples: [
      say(
        "openclaw iam policy > policy.json",
        "for aws iam put-role-policy --policy-document file://policy.json",
      ),
      say("openclaw iam policy --for chat", "only what a call of the configured models needs"),
    ],
    topic: "ec2",
  },
  emulator: {
    examples: [
      say("openclaw emulator"),
      say("openclaw emulator --port 8080"),
      say("openclaw emulator --fault ConverseStream:1=ThrottlingException --fault ConverseStream:2=reset@5"),
      say("openclaw emulator --tpm 20000 --tpm us-west-2=0", "throttles as AWS does"),
      say("openclaw emulator --emulator-script script.json5", "models say what the file has"),
      say(
        "openclaw emulator --upstream http://127.0.0.1:11434/v1 --upstream-model llama3.2",
        "answers are those of a local model",
      ),
    ],
    topic: "emulator",
  },
  serve: {
    examples: [
      say("openclaw serve"),
      say("openclaw serve --port 9000 --map gpt-4o=amazon.nova-pro-v1:0"),
      say("openclaw serve --host 0.0.0.0 --api-key-file keys.txt", "for other machines, with a key"),
      say("openclaw serve --regions us-east-1,us-west-2 --pace", "goes on where one is throttled"),
    ],
    topic: "serve",
  },
  "serve keys add": {
    examples: [
      say("openclaw serve keys add team-b --api-key-file keys.txt"),
      say(
        "openclaw serve keys add ci --api-key-file keys.txt --models 'amazon.nova-*' --rpm 60 --daily-budget 5 --expires 90d",
      ),
    ],
    topic: "serve",
  },
  "serve keys list": {
    examples: [
      say("openclaw serve keys list --api-key-file keys.txt"),
      say("openclaw serve keys list --api-key-file keys.txt --json"),
    ],
    topic: "serve",
    piped: {
      fields: [
        "name",
        "USD today",
        "daily budget",
        "USD this month",
        "monthly budget",
        "requests a minute",
        "tokens a minute",
        "expires",
        "models",
      ],
    },
  },
  "serve keys revoke": {
    examples: [
      say("openclaw serve keys revoke team-a --api-key-file keys.txt"),
      say("openclaw serve keys revoke team-a --api-key-file keys.txt --json"),
    ],
    topic: "serve",
  },
  "mcp serve": {
    examples: [
      say("openclaw mcp serve", "as a program starts it that speaks MCP"),
      say("openclaw mcp serve --model nova-lite --allow-model 'amazon.*' --max-cost 0.05"),
    ],
    topic: "mcp-serve",
  },
  completion: {
    examples: [
      say("openclaw completion bash"),
      say("openclaw completion fish > openclaw.fish", "for ~/.config/fish/completions"),
    ],
    topic: "completion",
  },
  help: {
    examples: [
      say("openclaw help", "the commands, and what there is to read"),
      say("openclaw help models list"),
      say("openclaw help exit-codes | cat", "in a pipe: Markdown"),
    ],
    topic: "scripting",
  },
};

/** What the help of a command ends with, by its words (`models list`). Throws for a command that has no examples. */
export function closingOf(name: string): Closing {
  const closing = Object.hasOwn(CLOSINGS, name) ? CLOSINGS[name] : undefined;
  if (!closing) throw new Error(`${name} has no examples: add them to src/command-line/examples.ts.`);
  return closing;
}
