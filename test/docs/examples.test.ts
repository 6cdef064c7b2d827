import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { askStorage } from "../emulator/storage-client.ts";
import { fencedBlocks, readPages } from "../helpers/documents.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { emptyEnvironment, openclaw, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { isThorough } from "../helpers/thorough.ts";

const FILES = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-filesystem/dist/index.js");
const CONFIGURATION = `{
  mcpServers: { files: { command: "node", args: [${JSON.stringify(FILES)}, "."] } },
  models: { bedrockDiscovery: { region: "us-east-1" } },
  agents: {
    defaults: {
      model: "amazon-bedrock/amazon.nova-lite-v1:0",
      embeddingModel: "amazon.titan-embed-text-v2:0",
    },
  },
  templates: { review: { prompt: "Review this in $lang: $input" } },
}
`;

/** The examples that open the page of each command. */
const examples = readPages()
  .filter(({ page }) => page.startsWith(path.join("docs", "commands")))
  .flatMap(({ page, text }) =>
    (fencedBlocks(text, "sh")[0] ?? "")
      .trimEnd()
      // What a command is for may stand above it.
      .replaceAll(/^(# .*)\n(.*)$/gm, "$2  $1")
      .split("\n")
      .map((line) => ({ page, line })),
  )
  // A conversation needs a person: test/interactive types into it.
  .filter(({ line }) => !line.includes("# on a terminal"));

/** Makes a job that others look at. */
const SUBMIT =
  "batch submit lines.jsonl --s3 s3://my-bucket/batch --role arn:aws:iam::123456789012:role/R --name nightly".split(
    " ",
  );

/** A user with credentials, a configuration and the files that the examples name. */
async function prepare(line = ""): Promise<{ user: Emulated; env: Record<string, string> }> {
  // A job ends at once, but for who wants to stop it.
  const user = await emulate({ jobSeconds: line.includes("batch stop") ? 600 : 0 });
  user.configure(CONFIGURATION);
  writeFileSync(path.join(user.home, "notes.txt"), "Milk, eggs, bread.\n");
  writeFileSync(path.join(user.home, "keys.txt"), "team-a:not-a-secret-0123456789\n", { mode: 0o600 });
  writeFileSync(
    path.join(user.home, "changes.json5"),
    "{ models: { bedrockDiscovery: { refreshInterval: 60 } } }\n",
  );
  writeFileSync(path.join(user.home, "prompts.jsonl"), '{"prompt":"Say hi."}\n{"prompt":"Say ho."}\n');
  writeFileSync(path.join(user.home, "prompts.txt"), "Say hi.\nSay ho.\n");
  writeFileSync(path.join(user.home, "script.json5"), "[{ text: 'Yes.' }]\n");
  const lines = Array.from({ length: 100 }, (_, index) => `{"prompt":"What is ${index}?"}\n`);
  writeFileSync(path.join(user.home, "lines.jsonl"), lines.join(""));
  // An editor that changes nothing.
  const own = { ...user.env, PATH: pathWithOpenclaw(user.home), EDITOR: "true" };
  return { user, env: emptyEnvironment(user.home, own) };
}

/** The words of a line in which a shell has nothing to do but to take them apart. */
function plainWords(line: string): string[] | undefined {
  const WORD = /[\w.:/=@,+-]+|"[^"$`\\]*"|'[^']*'/g;
  const [, words] = /^openclaw((?: (?:[\w.:/=@,+-]+|"[^"$`\\]*"|'[^']*'))*)(?:\s+#.*)?$/.exec(line) ?? [];
  return words?.match(WORD)?.map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
}

/** In the small form what needs a shell is typed into one. Each command has run as a process once without it. */
const isTyped = ({ line }: (typeof examples)[number]): boolean => isThorough || !plainWords(line);

/** Commands that run until they are stopped, and what they print when they are there. */
const SERVERS = {
  "emulator.md": /export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+\n/,
  "serve.md": /export OPENAI_BASE_URL=http:\/\/[\d.]+:\d+\/v1\n/,
};
const printedBy = (page: string): RegExp | undefined =>
  Object.entries(SERVERS).find(([name]) => path.basename(page) === name)?.[1];

describe("each example of a command's page works as it is typed", () => {
  test.each(examples.filter(({ page }) => !printedBy(page)))("$line", async ({ page, line }) => {
    const { user, env } = await prepare(line);
    if (line.includes("batch")) {
      await askStorage(user.emulator, { method: "PUT", path: "/my-bucket" });
      if (!line.includes("batch submit")) await user.run(SUBMIT);
    }
    if (line.includes("sessions")) await user.run(["chat", "--session", "build-42", "The first question."]);
    if (!isTyped({ page, line })) {
      const { code, stderr } = await openclaw(plainWords(line) ?? [], user.home, { env });
      // The emulator's answers have no code.
      if (line.includes(" -x ")) expect(stderr).toContain("has no code block");
      else expect({ code, stderr: stderr.includes("error:") ? stderr : "" }).toEqual({ code: 0, stderr: "" });
      return;
    }
    const child = spawn("/bin/sh", ["-c", line], { cwd: user.home, env, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout.resume();
    const [code] = (await once(child, "close")) as [number | null];
    expect({ code, stderr: stderr.includes("error:") ? stderr : "" }).toEqual({ code: 0, stderr: "" });
  });

  test.each(examples.filter(({ page }) => printedBy(page)))("$line", async ({ line, page }) => {
    const { user, env } = await prepare();
    const printed = printedBy(page) ?? /^$/;
    // A port of one's own choice may be taken on the machine that runs the tests.
    const [command = "", comment = ""] = line.split(/(?=\s+#)/);
    const child = spawn("/bin/sh", ["-c", `exec ${command.replace(/--port \d+/, "")} --port 0${comment}`], {
      cwd: user.home,
      env,
    });
    let stdout = "";
    child.stderr.resume();
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (printed.test(stdout)) child.kill("SIGTERM");
    });
    const [code] = (await once(child, "close")) as [number | null];
    expect(stdout).toMatch(printed);
    expect(code).toBe(143);
  });
});
