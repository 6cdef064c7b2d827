import { mkdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { MODEL, serveEmulated } from "../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

it("needs no AWS key on an EC2 instance, and fetches the role's credentials anew when they run out", async () => {
  const emulated = await emulate({ imds: { lifetimeSeconds: 3 } });
  const { emulator } = emulated;
  const { client, origin } = await serveEmulated(emulated, {
    env: {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.url,
    },
  });
  expect((await fetch(`${origin}/ready`)).status).toBe(200);
  await client.chat.completions.create(ask);
  const fetched = (): number => emulator.calls.filter(({ route }) => route === "ImdsCredentials").length;
  const before = fetched();
  const until = Date.now() + 20_000;
  // Each answer is one more use of the credentials; one of them comes when they have run out.
  while (fetched() === before && Date.now() < until) await client.chat.completions.create(ask);
  expect(fetched()).toBe(before + 1);
  const signers = emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ accessKeyId, status }) => `${accessKeyId} ${status}`);
  expect(new Set(signers)).toEqual(new Set(["ASIAEMULATORROLE0001 200"]));
});

it("takes up credentials that come after it was started", async () => {
  const emulated = await emulate();
  const { client, origin, logged } = await serveEmulated(emulated, {
    env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
  });
  expect((await fetch(`${origin}/ready`)).status).toBe(503);
  mkdirSync(`${emulated.home}/.aws`);
  const { accessKeyId, secretAccessKey } = emulated.emulator;
  writeFileSync(
    `${emulated.home}/.aws/credentials`,
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  );
  const until = Date.now() + 25_000;
  let status = 503;
  while (status !== 200 && Date.now() < until) ({ status } = await fetch(`${origin}/ready`));
  expect(status).toBe(200);
  expect((await client.chat.completions.create(ask)).choices).toHaveLength(1);
  await logged(({ path, status }) => path === "/ready" && status === 200);
});

it("tells nobody the role's secrets, although what answers repeats them", async () => {
  const sessionToken = "session-token-of-the-role-that-nobody-sees";
  const emulated = await emulate({
    imds: { sessionToken },
    script: ({ route, headers }) =>
      route === "ConverseStream"
        ? {
            error: {
              name: "ValidationException",
              message: `Bad request with ${headers["x-amz-security-token"]}`,
            },
          }
        : undefined,
  });
  const { client, logged, log } = await serveEmulated(emulated, {
    env: {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulated.emulator.url,
    },
  });
  const failure = await client.chat.completions.create(ask).catch((error: unknown) => error);
  expect(String(failure)).toContain("Bad request with …");
  await logged(({ status }) => status === 400);
  expect(JSON.stringify(log)).not.toContain(sessionToken);
});
