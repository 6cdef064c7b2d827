/** What a command's page says beyond its help. A test runs every example. */
export interface CommandNotes {
  /** Command lines as they are typed; the first one opens the page. */
  examples: readonly Example[];
  /** Markdown between the description and the usage. */
  text: string;
}

export interface Example {
  line: string;
  says?: string;
}

const say = (line: string, says?: string): Example => (says === undefined ? { line } : { line, says });

const NOTES: Readonly<Record<string, CommandNotes>> = {
  "openclaw config get": {
    examples: [
      say("openclaw config get", "the whole file, secrets masked"),
      say("openclaw config get --effective", "what is in force, and where each value comes from"),
      say("openclaw config get --effective models.bedrockDiscovery.region"),
    ],
    text: "Prints a text or number bare, an object or a list as JSON. A setting that is not in the file prints nothing on stdout and ends with exit code 3; stderr names its default. [Settings](../settings.md) lists the paths.",
  },
  "openclaw config set": {
    examples: [
      say("openclaw config set models.bedrockDiscovery.region us-east-1"),
      say(`openclaw config set models.bedrockDiscovery.providerFilter '["anthropic", "amazon"]'`),
      say(
        "openclaw config set --dry-run models.bedrockDiscovery.refreshInterval 600",
        "shows the change, writes nothing",
      ),
    ],
    text: "The value of a text setting is taken as it is, any other as JSON5. It is checked before anything is written: a wrong type or an unknown path leaves the file as it was. Comments, order and layout of the rest of the file stay; the write is atomic, and several writers at once wait for each other.",
  },
  "openclaw config unset": {
    examples: [say("openclaw config unset models.bedrockDiscovery.region")],
    text: "Removes the setting from the file, so that its default holds again.",
  },
  "openclaw config patch": {
    examples: [
      say("openclaw config patch --file changes.json5"),
      say(
        `echo '{ models: { bedrockDiscovery: { region: null } } }' | openclaw config patch --stdin`,
        "null removes",
      ),
    ],
    text: "Objects are merged, null removes, anything else replaces ([RFC 7386](https://www.rfc-editor.org/rfc/rfc7386)). All changes land together or none does.",
  },
  "openclaw config file": {
    examples: [say("openclaw config file"), say('cp "$(openclaw config file)" backup.json5')],
    text: "",
  },
  "openclaw config validate": {
    examples: [say("openclaw config validate")],
    text: "Lists every problem with its line and column. Exit code 3 when there is one.",
  },
  "openclaw config schema": {
    examples: [say("openclaw config schema > openclaw.schema.json")],
    text: "The schema is JSON Schema, draft 2020-12, with descriptions and defaults; editors complete and check the file by it.",
  },
  "openclaw models list": {
    examples: [
      say("openclaw models list"),
      say("openclaw models list --provider anthropic --provider mistral"),
      say("openclaw models list --sort price-out --search claude"),
      say("openclaw models list --access", "what this identity can really call, and why not the rest"),
      say("openclaw models list --plain | head -1", "keys only, for scripts"),
      say("openclaw models list --json", "see docs/schemas/models-list.schema.json"),
    ],
    text: "Lists the models of the configuration, and those that this account can stream text from: foundation models and inference profiles. The list is kept for `models.bedrockDiscovery.refreshInterval` seconds. When AWS cannot be asked and an older list exists, that one is printed with a warning. In a pipe each model is a line of tab-separated fields: key, name, input, context window, output limit, price in, price out, reasoning, tags, and access where it was asked for. `--sort` puts names from A to Z, the largest limit or the lowest price first. `--access` asks AWS about each foundation model behind the list (`bedrock:GetFoundationModelAvailability`) and keeps the answers as long as the list.",
  },
  "openclaw models show": {
    examples: [
      say("openclaw models show us.anthropic.claude-opus-4-6-v1"),
      say("openclaw models show arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"),
      say("openclaw models show us.amazon.nova-pro-v1:0 --access"),
    ],
    text: "Takes a key, an id, an ARN, an alias or [any name that `chat` takes](../chat.md#which-model-answers), and says of each fact where it comes from: the configuration, the built-in catalog, AWS, or a default. An ARN is looked up in the region it names; prompt routers, provisioned throughput, custom model deployments and imported models, which no list holds, are asked for one by one (`bedrock:GetPromptRouter` and the like). `profile` lines are the inference profiles that reach a model, with the regions they may send a request to.",
  },
  "openclaw models status": {
    examples: [say("openclaw models status"), say("openclaw models status --json")],
    text: "",
  },
  "openclaw models set": {
    examples: [say("openclaw models set us.anthropic.claude-opus-4-6-v1"), say("openclaw models set opus")],
    text: "Writes `agents.defaults.model`: what can be called, so that a family or a printed name becomes an id, and a base model that needs an inference profile becomes the one of the region, and it says so. A model that is neither configured nor discovered is refused, with the nearest ids; `--force` sets it all the same.",
  },
  "openclaw chat": {
    examples: [
      say('openclaw chat "Why is the sky blue?"'),
      say('cat notes.txt | openclaw chat "Summarize these notes."'),
      say('openclaw chat -m us.anthropic.claude-opus-4-6-v1 --max-tokens 500 "Write a haiku."'),
      say('openclaw chat --json "Name three colours." > answer.json'),
      say("openclaw chat", "on a terminal: a conversation"),
      say('openclaw chat --session build-42 "And the second one?"', "the next question of one that is kept"),
    ],
    text: "Text that is piped in comes before the prompt, separated by an empty line; `-` as the prompt means the piped text alone. The answer streams to stdout and ends with one line end; everything else is on stderr. A stream that breaks off is a failure (exit code 5), never a short answer, and text is never printed twice. Nothing optional is sent unless it is asked for. Without a prompt on a terminal it is a conversation, which is kept turn by turn; a single question is kept only with `--session` or `--continue`. [Conversations](../sessions.md) says more.",
  },
  "openclaw sessions list": {
    examples: [
      say("openclaw sessions list"),
      say("openclaw sessions list --here"),
      say("openclaw sessions list | cut -f1", "ids only, for scripts"),
      say("openclaw sessions list --json", "see docs/schemas/sessions-list.schema.json"),
    ],
    text: "Lists the conversations that are kept on this machine, the one that was written last first. In a pipe each is a line of tab-separated fields: id, time of the last turn, number of turns, first question, model, folder.",
  },
  "openclaw sessions show": {
    examples: [
      say("openclaw sessions show build-42"),
      say("openclaw sessions show build-42 --json", "see docs/schemas/sessions-show.schema.json"),
    ],
    text: "Prints each question after `> `, then its answer.",
  },
  "openclaw sessions export": {
    examples: [
      say("openclaw sessions export build-42 > build-42.md"),
      say("openclaw sessions export build-42 --json > build-42.json"),
    ],
    text: "The JSON holds every content block as it was sent and came, reasoning with its signatures and files as base64 included.",
  },
  "openclaw sessions rm": {
    examples: [
      say("openclaw sessions rm build-42"),
      say("openclaw sessions rm $(openclaw sessions list --here | cut -f1)", "all of this folder"),
    ],
    text: "Removes nothing when one of the ids is unknown, or when another openclaw has the session open.",
  },
  "openclaw doctor": {
    examples: [
      say("openclaw doctor"),
      say("openclaw doctor --json", "see docs/schemas/doctor.schema.json"),
      say("openclaw doctor --probe"),
    ],
    text: "Names the credentials that sign every request and the ones they hide, checks region, permissions and configuration, and says one thing to do for each finding. Exit code 0 without a failure, else that of the first failing check. [Credentials](../credentials.md) shows a run.",
  },
  "openclaw iam policy": {
    examples: [
      say(
        "openclaw iam policy > policy.json",
        "for aws iam put-role-policy --policy-document file://policy.json",
      ),
      say("openclaw iam policy --for chat", "only what a call of the configured models needs"),
    ],
    text: "Prints an IAM policy with what this configuration leads to and nothing else: the lists of models, the access checks of `doctor`, the default model, its fallbacks and every other configured model, the guardrail, token counting. A model that is called through an inference profile is allowed in every region that the profile routes to, and through that profile only. Account and regions come from AWS: run it with credentials that may call STS and list profiles, such as an administrator's; what cannot be asked is a `*` and a warning. `discovery` stands for the `models` commands.\n\nA guardrail that uses cross-Region inference needs its guardrail profiles besides; [EC2](../ec2.md) shows the policy in use.",
  },
  "openclaw emulator": {
    examples: [
      say("openclaw emulator"),
      say("openclaw emulator --port 8080"),
      say("openclaw emulator --fault ConverseStream:1=ThrottlingException --fault ConverseStream:2=reset@5"),
      say(
        "openclaw emulator --upstream http://127.0.0.1:11434/v1 --upstream-model llama3.2",
        "answers are those of a local model",
      ),
    ],
    text: "Prints its address and the `export` lines that point any AWS tool at it, and runs until it is stopped. `--emulator` on another command needs none of this. With `--upstream` a real model answers Converse calls; its key is read from `OPENCLAW_UPSTREAM_API_KEY`. [The emulator](../emulator.md) says what it does.",
  },
  "openclaw serve": {
    examples: [
      say("openclaw serve"),
      say("openclaw serve --port 9000 --map gpt-4o=amazon.nova-pro-v1:0"),
      say("openclaw serve --host 0.0.0.0 --api-key-file keys.txt", "for other machines, with a key"),
    ],
    text: "Runs until it is stopped, and prints the two variables that OpenAI's clients read. [Serve](../serve.md) says what of OpenAI's API it takes, and how to run it as a service. The log goes to stderr, a JSON line for each request. SIGTERM lets running answers end; a second one does not wait.",
  },
  "openclaw completion": {
    examples: [
      say("openclaw completion bash"),
      say("openclaw completion fish > openclaw.fish", "for ~/.config/fish/completions"),
    ],
    text: "[Completion](../completion.md) has the line for each shell, and what it completes.",
  },
};

/** The notes of a command, by its full name. Throws for a command that has none: a page opens with an example. */
export function notesOf(name: string): CommandNotes {
  const notes = Object.hasOwn(NOTES, name) ? NOTES[name] : undefined;
  if (!notes) throw new Error(`${name} has no examples: add them to scripts/docs/command-notes.ts.`);
  return notes;
}
