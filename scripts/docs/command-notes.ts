/** What a command's page says beyond its help: Markdown between the description and the usage. */
const NOTES: Readonly<Record<string, string>> = {
  "config get":
    "Prints a text or number bare, an object or a list as JSON. A setting that is not in the file prints nothing on stdout and ends with exit code 3; stderr names its default. [Settings](../settings.md) lists the paths.",
  "config set":
    "The value of a text setting is taken as it is, any other as JSON5. It is checked before anything is written: a wrong type or an unknown path leaves the file as it was. Comments, order and layout of the rest of the file stay; the write is atomic, and several writers at once wait for each other.",
  "config unset": "Removes the setting from the file, so that its default holds again.",
  "config patch":
    "Objects are merged, null removes, anything else replaces ([RFC 7386](https://www.rfc-editor.org/rfc/rfc7386)). All changes land together or none does.",
  "config list":
    "The same as `openclaw config get --effective`: every setting that has a value, from the file, the environment or by default.",
  "config edit":
    "Opens the file in `$VISUAL`, else `$EDITOR`, else `vi`. What comes back is checked before it takes the file's place; the version before is kept as `openclaw.json.bak`, unless a secret was taken out of it: then no copy is left. Where something in it is wrong you may edit it again; what is not kept, and what comes back without a terminal, stays in the temporary file that the editor had, which the error names, with exit code 3.",
  "config validate": "Lists every problem with its line and column. Exit code 3 when there is one.",
  "config schema":
    "The schema is JSON Schema, draft 2020-12, with descriptions and defaults; editors complete and check the file by it.",
  "models list":
    "Lists the models of the configuration, and those that this account can stream text from: foundation models and inference profiles. The list is kept for `models.bedrockDiscovery.refreshInterval` seconds. When AWS cannot be asked and an older list exists, that one is printed with a warning. `--sort` puts names from A to Z, the largest limit or the lowest price first. `--access` asks AWS about each foundation model behind the list (`bedrock:GetFoundationModelAvailability`) and keeps the answers as long as the list.",
  "models show":
    "Takes a key, an id, an ARN, an alias or [any name that `chat` takes](../chat.md#which-model-answers), and says of each fact where it comes from: the configuration, the built-in catalog, AWS, or a default. An ARN is looked up in the region it names; prompt routers, provisioned throughput, custom model deployments and imported models, which no list holds, are asked for one by one (`bedrock:GetPromptRouter` and the like). `profile` lines are the inference profiles that reach a model, with the regions they may send a request to.",
  "models set":
    "Writes `agents.defaults.model`: what can be called, so that a family or a printed name becomes an id, and a base model that needs an inference profile becomes the one of the region, and it says so. A model that is neither configured nor discovered is refused, with the nearest ids; `--force` sets it all the same.",
  "models alias":
    "Writes `agents.defaults.models.<key>.alias`, which every command takes for the model. The model is found as by `models set`. A model has one such name, and a name one model: what is moved or replaced is said.",
  chat: 'Text that is piped in comes before the prompt, separated by an empty line; `-` as the prompt means the piped text alone. The answer streams to stdout and ends with one line end; everything else is on stderr. A stream that breaks off is a failure (exit code 5), never a short answer, and text is never printed twice. Nothing optional is sent unless it is asked for. Without a prompt on a terminal it is a conversation, which is kept turn by turn; a single question is kept only with `--session` or `--continue`. With `--tool` and `--mcp` the model may call tools: on a terminal you are asked about each call, in a pipe only those run that `--allow` or the settings permit. `--no-run` leaves the calls to you: behind the text each is a line of JSON, `{"toolUseId", "name", "input"}`, and `--json` has them under `steps`. Named by `--session` the turn is kept, and `--tool-result FILE` goes on with it: a line of JSON for each call, `{"toolUseId", "content": text or JSON, "status": "error"}` with `status` where it failed; with `--no-run` again the next calls are left to you, too. [Conversations](../sessions.md) says more, and [chat](../chat.md) of templates, files and costs.',
  embed:
    "Embeds each argument, or stdin as a whole; with `--lines` each line of stdin, a few calls at once, and prints a JSON array of numbers a line in the same order, `null` for a line without text. On a terminal the beginning of each vector is shown. The model is that of `--model`, else of `agents.defaults.embeddingModel`. A text that is too long is refused, never cut. [Embeddings](../embed.md) has the models and what they take.",
  "batch estimate":
    "Reads the lines of a file and says what they would cost: on demand, as `batch run` asks them; in the service tier `flex` where the model has it; and as a job of Bedrock's batch inference, which costs half and may take a day. Nothing is asked of a model. Tokens in are estimated by the length of the texts, tokens out by `--output-tokens`, else by what the model's answers had in the last 30 days on this machine, else by a guess; what stands under `At most` is what it costs if every answer is as long as it may be. How long it takes is told by the quotas of the account, or by `--rpm` and `--tpm`. What a job would refuse is named: tools and cache points, fewer lines than it takes or more, a model that has no batch inference. FILE may be `-`.",
  "batch run":
    "Asks each line of a file and writes what becomes of it, a line of JSON, in the order of the lines. A line is `{\"prompt\"}`, a record of Bedrock's batch inference, a request of OpenAI's or Anthropic's batch files, or with `--lines` a text; all are checked before the first is sent. Calls stay below the account's quotas, `--rpm` and `--tpm` in any minute; what is throttled is asked again. Beside the output, in `FILE.journal`, is each result as soon as it comes: after whatever stopped a run, `--resume` asks only what has none, and refuses other lines, another model or another length of answers. A line that fails has its error in its place; what every line would end in (credentials, access, no network, a budget, `--max-cost`) ends the run, and one that finds the disk full waits for room. Ctrl-C gives up the answers on their way, and says how many they are; `--resume` asks them again. The journal goes when every line has an answer. Lines without `maxTokens` get what answers need, as far as that is known, since a call reserves as much of the quota; one that ends there is asked again with more, but not with `--max-tokens`. Ends with 0 where every line has an answer, else with the exit code of the commonest error. With `--deadline 2h`, or a date, lines are asked in the service tier `flex`, which costs half, where AWS lists it for the model, as long as that makes the deadline; when it falls behind, on demand. A notice says which and why, and when not even that makes it: the run goes on all the same. A line that names its own tier keeps it.",
  "batch submit":
    "Checks every line first: what Bedrock's batch inference would refuse is told by its number, and nothing is sent. The lines are made records, sent to S3 under the digest of their content and submitted; the ARN of the job is printed. The same lines with the same terms are the same job, however often they are submitted, until `--again`. Records that are in S3 already, and the parts of an upload that was broken off, are not sent again. Where AWS refuses the job, what was sent is taken away. `-` reads the lines from stdin. [Batch](../batch.md) says what lines may be.",
  "batch status":
    "Takes the ARN, the id or the name of a job; without one it is the last job that was submitted from this machine. `--wait` ends with exit code 0 when every record was processed, else with that of the error that the job ended in. Ctrl-C ends the waiting, and the job goes on.",
  "batch results":
    'Reads what the job has put into S3, and writes a line for each line that was submitted, in their order: its answer, or `{"recordId","error"}`. Which lines have no answer, and why, is told on stderr. `--failed FILE` gets those lines as they can be submitted or run again. Jobs that were stopped, expired or were not finished give what is there. Exit code 0 means that every line has an answer, else it is that of the error that the job or most of these lines ended in. `--json` prints a summary, and needs `-o`. What the answers used goes into the ledger once.',
  "batch role":
    "Prints shell commands that make the role, and makes nothing itself. Its trust policy lets Amazon Bedrock assume it for jobs of this account and region; its policy reads and writes what is below the prefix, with `--kms-key` uses the key, and with `--model` calls the inference profile. `--json` has the three policies as documents.",
  "sessions list":
    "Lists the conversations that are kept on this machine, the one that was written last first.",
  "sessions show":
    "Prints each question after `> `, then its answer. Without a name it is the session that was written last.",
  "sessions export":
    "The JSON holds every content block as it was sent and came, reasoning with its signatures and files as base64 included.",
  "sessions search":
    "Finds a text in questions and answers, in any case, each question and answer once; words may have any white space between them.",
  "sessions rename":
    "A name has letters and digits of any script, dots, underscores and dashes, up to 128 bytes. One that is taken is refused.",
  "sessions rm":
    "Removes nothing when one of the ids is unknown, or when another openclaw has the session open. `--older-than` takes `30d`, `12h`, `2w`, or a date; sessions that are open stay, with a warning.",
  "tools list":
    "What is built in and the commands under `tools` of the configuration, with the names that `chat --tool` takes. The tools of an MCP server are known only when it is started, which is not done unasked: `--mcp NAME` starts it, and ends it again.",
  "tools run":
    'Runs a tool once with a JSON object as input: as an argument, with `-` or in a pipe from stdin; without any it is `{}`. A folder stands behind the name of a built-in tool (`read-file:src`), and the tool of an MCP server is `SERVER__TOOL`. What it comes to is printed as it is: texts, JSON, and of an image alone its bytes where stdout is no terminal; `--json` has all of it with how long it took. A tool that fails ends with exit code 5, and what it says is on stdout all the same. That you type the call is leave for it, but a tool with `allow: "never"` is not run.',
  "mcp list":
    "The servers of `mcpServers` of the configuration and of `mcp.servers`, as other programs have them. Nothing is started for it, unless `--check` asks for it: then each is started or called, what it offers is counted, and it is ended again; when one does not answer, its error and exit code are those of the command.",
  "mcp tools":
    "Starts the server, or calls it, lists its tools with the names that `chat --tool` and `--allow` take, and ends it. `--json` has the schemas of their input, and the server's prompts and resources. With `--verbose` what the server prints, and says of itself, is on stderr.",
  "mcp call":
    "Calls a tool by the name that the server has for it, or that a model has for it. Everything else is as with [tools run](tools-run.md), which runs any tool.",
  "templates show": "Prints the template as JSON.",
  "templates edit":
    "Opens the template in `$VISUAL`, else `$EDITOR`, else `vi`, as JSON5; a new name begins with an example. It is checked before it is written to `templates.<name>` of the configuration. `openclaw config unset templates.review` removes one. [Chat](../chat.md#templates) shows templates in use.",
  usage:
    "Sums up the ledger: a line for each call that `chat`, `serve`, `mcp serve` and `doctor --probe` made from this machine, with its tokens and the estimated price, never with what was said. A call whose price nobody knows counts, and is shown as such. `--since` takes `7d`, `12h`, `2w`, `today`, `yesterday`, `month`, or a date; days are those of UTC, by which AWS bills. [Costs](../costs.md) has budgets, and what is kept.",
  quota:
    "Shows the quotas of the model, and of each inference profile of it, as Service Quotas has them for this account in this region; what the last 15 minutes used, as CloudWatch tells some minutes later; and how many tokens of the quota one of output takes. With `--input-tokens` and `--max-tokens` it says whether one call passes now: `fits`, `in 12 s`, or the most `--max-tokens` that fits; in a pipe that answer alone is printed. Both services are optional: what a permission is missing for is named, and the rest is shown. Without a model it is the default model with its fallbacks, else every configured one. [Quotas](../quotas.md) explains the numbers.",
  doctor:
    "Names the credentials that sign every request and the ones they hide, checks region, permissions and configuration, and says one thing to do for each finding. A catalog of models older than 120 days is one. Exit code 0 without a failure, else that of the first failing check. [Credentials](../credentials.md) shows a run.",
  "iam policy":
    "Prints an IAM policy with what this configuration leads to and nothing else: the lists of models, the access checks of `doctor`, the default model, its fallbacks and every other configured model, the guardrail, token counting. A model that is called through an inference profile is allowed in every region that the profile routes to, and through that profile only. Account and regions come from AWS: run it with credentials that may call STS and list profiles, such as an administrator's; what cannot be asked is a `*` and a warning. `discovery` stands for the `models` commands.\n\nA guardrail that uses cross-Region inference needs its guardrail profiles besides; [EC2](../ec2.md) shows the policy in use.",
  emulator:
    "Prints its address and the `export` lines that point any AWS tool at it, and runs until it is stopped. `--emulator` on another command needs none of this. With `--upstream` a real model answers Converse calls; its key is read from `OPENCLAW_UPSTREAM_API_KEY`. [The emulator](../emulator.md) says what it does.",
  serve:
    "Runs until it is stopped, and prints the variables that clients of OpenAI's, of Anthropic's and of AWS's API read. [Serve](../serve.md) says what of OpenAI's API it takes, and how to run it as a service. The log goes to stderr, a JSON line for each request. SIGTERM lets running answers end; a second one does not wait.",
  "mcp serve":
    "Runs until stdin ends, for the program that has started it: Claude Code, Codex, Cline and others. stdout has the protocol alone; the log goes to stderr, in JSON. [Models for other programs](../mcp-serve.md) has the four tools, and what to write into the settings of those programs.",
  completion: "[Completion](../completion.md) has the line for each shell, and what it completes.",
  help: "A command is read with the topic of its name, where there is one. On a terminal the page is shown through `$PAGER`, or `less`; `PAGER=cat` shows it at once. In a pipe it is Markdown. `man openclaw` has the same pages where the package is installed; in a clone `npm run docs` writes them, and `man ./dist/man/openclaw.1` shows one.",
};

/** The note on a command, by its words; empty where its help says it all. */
export function noteOn(name: string): string {
  return NOTES[name] ?? "";
}
