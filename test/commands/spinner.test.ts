import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const SECRET = "openclaw/test/secret/key/that/nobody/sees";

/** A machine whose credential_process takes its time. */
async function withSlowCredentials() {
  const machine = await emulate({ accessKeys: { AKIAPROC000000000001: { secretAccessKey: SECRET } } });
  const program = path.join(machine.home, "keys");
  writeFileSync(
    program,
    `#!/bin/sh\nsleep 1\necho '{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"${SECRET}"}'\n`,
  );
  chmodSync(program, 0o755);
  writeSharedFiles(machine.home, { config: `[profile proc]\ncredential_process = ${program}\n` });
  const env = {
    ...machine.env,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: "proc",
  };
  return { machine, env };
}

it("is there while credentials are long in coming, and leaves no trace", async () => {
  const { machine, env } = await withSlowCredentials();
  const terminal = openPty(["chat", "-m", "amazon.nova-lite-v1:0", "hi"], machine.home, {
    env,
    columns: 120,
  });
  await terminal.see("Getting credentials");
  expect(await terminal.exit).toBe(0);
  const [first] = terminal.lines();
  expect(first).toMatch(/^This is a simulated answer/);
  expect(terminal.lines().join("\n")).not.toContain("Getting credentials");
});

it("is one spinner where the command has its own", async () => {
  const { machine, env } = await withSlowCredentials();
  const terminal = openPty(["doctor"], machine.home, { env, columns: 200, rows: 40 });
  await terminal.see("Checking");
  expect(await terminal.exit).toBe(0);
  expect(terminal.output()).not.toContain("Getting credentials");
  expect(terminal.lines().join("\n")).not.toContain("Checking");
});

it("is not there in a pipe", async () => {
  const { machine, env } = await withSlowCredentials();
  const result = await machine.run(["models", "list", "--plain"], { env });
  expect(result).toMatchObject({ code: 0, stderr: "" });
});
