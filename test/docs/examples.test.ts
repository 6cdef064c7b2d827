import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fencedBlocks, readPages } from "../helpers/documents.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { emptyEnvironment, pathWithOpenclaw } from "../helpers/openclaw.ts";

const CONFIGURATION = `{
  models: { bedrockDiscovery: { region: "us-east-1" } },
  agents: { defaults: { model: "amazon-bedrock/amazon.nova-lite-v1:0" } },
}
`;

/** The examples that open the page of each command. */
const examples = readPages()
  .filter(({ page }) => page.startsWith(path.join("docs", "commands")))
  .flatMap(({ page, text }) =>
    (fencedBlocks(text, "sh")[0] ?? "")
      .trimEnd()
      .split("\n")
      .map((line) => ({ page, line })),
  )
  // A conversation needs a person: test/interactive types into it.
  .filter(({ line }) => !line.includes("# on a terminal"));

/** A user with credentials, a configuration and the files that the examples name. */
async function prepare(): Promise<{ user: Emulated; env: Record<string, string> }> {
  const user = await emulate();
  user.configure(CONFIGURATION);
  writeFileSync(path.join(user.home, "notes.txt"), "Milk, eggs, bread.\n");
  writeFileSync(
    path.join(user.home, "changes.json5"),
    "{ models: { bedrockDiscovery: { refreshInterval: 60 } } }\n",
  );
  return { user, env: emptyEnvironment(user.home, { ...user.env, PATH: pathWithOpenclaw(user.home) }) };
}

describe("each example of a command's page works as it is typed", () => {
  test.each(examples.filter(({ page }) => !page.endsWith("emulator.md")))("$line", async ({ line }) => {
    const { user, env } = await prepare();
    if (line.includes("sessions")) await user.run(["chat", "--session", "build-42", "The first question."]);
    const child = spawn("/bin/sh", ["-c", line], { cwd: user.home, env, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout.resume();
    const [code] = (await once(child, "close")) as [number | null];
    expect({ code, stderr: stderr.includes("error:") ? stderr : "" }).toEqual({ code: 0, stderr: "" });
  });

  test.each(examples.filter(({ page }) => page.endsWith("emulator.md")))("$line", async ({ line }) => {
    const { user, env } = await prepare();
    // A port of one's own choice may be taken on the machine that runs the tests.
    const child = spawn("/bin/sh", ["-c", `exec ${line.replace(/--port \d+/, "--port 0")}`], {
      cwd: user.home,
      env,
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes("export AWS_ENDPOINT_URL=")) child.kill("SIGTERM");
    });
    const [code] = (await once(child, "close")) as [number | null];
    expect(stdout).toMatch(/export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
    expect(code).toBe(143);
  });
});
