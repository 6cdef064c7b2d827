import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { findRow } from "../../src/session/error-table.ts";
import { emulate } from "../helpers/emulated.ts";

const MESSAGE = "data retention mode 'default' is not available for this model";

it.each([
  ["with a key pair", {}],
  ["with a session token", { AWS_SESSION_TOKEN: "token" }],
])("asks for the account's data retention mode in a shell as it stands, %s", async (_, more) => {
  const { emulator, env } = await emulate({
    accessKeys: { AKIDTEMPORARY0000001: { secretAccessKey: "secret", sessionToken: "token" } },
  });
  const keys =
    "AWS_SESSION_TOKEN" in more
      ? { AWS_ACCESS_KEY_ID: "AKIDTEMPORARY0000001", AWS_SECRET_ACCESS_KEY: "secret", ...more }
      : env;
  const hint = findRow("ValidationException", MESSAGE)?.hint({ message: MESSAGE, region: "eu-west-1" }) ?? "";
  const command = hint.slice(hint.indexOf("curl "));
  expect(command).toContain("https://bedrock.eu-west-1.amazonaws.com/data-retention");
  const there = command.replace("https://bedrock.eu-west-1.amazonaws.com", emulator.url);
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", `${there} -sS`], {
    env: { PATH: process.env["PATH"], ...keys },
  });
  expect(JSON.parse(stdout)).toMatchObject({ mode: "aws_review" });
  expect(emulator.calls.at(-1)).toMatchObject({ route: "GetAccountDataRetention", region: "eu-west-1" });
});
