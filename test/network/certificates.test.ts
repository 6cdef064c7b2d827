import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generate } from "selfsigned";
import { beforeAll, describe, expect, it } from "vitest";
import { decideCaBundle, readCertificates } from "../../src/network/certificates.ts";
import { emulate } from "../helpers/emulated.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const profile = { name: "dev", keys: { ca_bundle: "/profile.pem" } };

it("takes AWS_CA_BUNDLE before ca_bundle of the profile", () => {
  expect(decideCaBundle({ AWS_CA_BUNDLE: "/env.pem" }, profile)).toEqual({
    file: "/env.pem",
    source: "AWS_CA_BUNDLE",
  });
  expect(decideCaBundle({}, profile)).toEqual({ file: "/profile.pem", source: "ca_bundle of profile 'dev'" });
  expect(decideCaBundle({}, { name: "dev", keys: {} })).toBeUndefined();
  expect(decideCaBundle({}, undefined)).toBeUndefined();
});

describe("a file of certificates", () => {
  let certificate: string;
  beforeAll(async () => {
    ({ cert: certificate } = await generate([{ name: "commonName", value: "test" }], {
      algorithm: "sha256",
    }));
  });
  const BROKEN = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
  const file = (content: string): string => {
    const place = path.join(createHome(), "ca.pem");
    writeFileSync(place, content);
    return place;
  };

  it("may have text around them, and one that cannot be read beside others", async () => {
    const place = file(`# the CA of the proxy\n${BROKEN}${certificate}\n# end\n`);
    expect((await readCertificates({ file: place, source: "AWS_CA_BUNDLE" })).toString()).toContain("BEGIN");
  });

  it.each<[string, () => string, string]>([
    ["is not there", () => "/nowhere/ca.pem", "config-unreadable"],
    ["is a folder", () => createHome(), "config-unreadable"],
    ["is empty", () => file(""), "config-invalid"],
    ["holds something else", () => file("hello\n"), "config-invalid"],
    ["holds a key", () => file(certificate.replaceAll("CERTIFICATE", "PRIVATE KEY")), "config-invalid"],
    ["is cut off", () => file(certificate.slice(0, 200)), "config-invalid"],
    ["holds no certificate that can be read", () => file(BROKEN), "config-invalid"],
  ])("that %s is named, with who names it", async (_, make, code) => {
    const place = make();
    for (const source of ["AWS_CA_BUNDLE", "ca_bundle of profile 'dev'"]) {
      await expect(readCertificates({ file: place, source })).rejects.toMatchObject({
        code,
        exitCode: 3,
        message: expect.stringContaining(`${source} names '${place}'`) as string,
        hint: expect.stringContaining(source) as string,
      });
    }
  });

  it.each([
    ["chat", ["chat", "-m", "amazon.nova-lite-v1:0", "hi"]],
    ["models list", ["models", "list", "--refresh"]],
    ["doctor", ["doctor"]],
  ])("of the profile that is none ends %s, and --emulator needs none", async (_, args) => {
    const user = await emulate();
    const folder = path.join(user.home, "certificates");
    mkdirSync(folder);
    writeSharedFiles(user.home, { config: `[default]\nregion = us-east-1\nca_bundle = ${folder}\n` });
    const result = await user.run(args);
    expect(result.code, result.stdout).toBe(3);
    expect(result.stdout + result.stderr).toContain(`ca_bundle of profile 'default' names '${folder}'`);
    expect((await user.run([...args, "--emulator"])).code).toBe(0);
  });
});
