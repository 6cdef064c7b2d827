import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";

/** Commands that list or search, on a machine on which there is nothing to find. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ["sessions", "list"],
  ["sessions", "list", "--here"],
  ["sessions", "search", "never", "said"],
  ["templates", "list"],
  ["models", "alias"],
  ["mcp", "list"],
  ["usage"],
  ["usage", "--by", "day"],
  ["batch", "list"],
  ["serve", "keys", "list", "--api-key-file", "keys"],
];

async function setUp(): Promise<Awaited<ReturnType<typeof emulate>>> {
  const emulated = await emulate();
  writeFileSync(path.join(emulated.home, "keys"), "# none\n", { mode: 0o600 });
  return emulated;
}

it.each(COMMANDS)(
  "%s %s %s says in a pipe that there is nothing, unless it is to be quiet",
  async (...args) => {
    const { run } = await setUp();
    expect(await run([...args])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^openclaw: \S[^\n]+[^\s]\n$/),
    });
    expect(await run([...args, "--quiet"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await run([...args, "--json"]);
    expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    expect(stderr).toBe("");
  },
);

it.each(COMMANDS)("%s %s %s says on a terminal that there is nothing", async (...args) => {
  const { home, env } = await setUp();
  const pty = openPty([...args], home, { env });
  expect(await pty.exit).toBe(0);
  expect(pty.lines().join(" ").trim()).toMatch(/^\S.*[.}']$/);
});
