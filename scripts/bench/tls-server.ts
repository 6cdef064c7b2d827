// The Bedrock that is measured against over TLS: the emulator with STS beside it, each service at an address of its own,
// once on this machine and once as many milliseconds away as the argument says. Prints its addresses and credentials as
// JSON and runs until its stdin ends.
import { startEmulator } from "../../src/emulator/emulator.ts";
import { stsCredentials } from "../../test/helpers/sts-answer.ts";
import { issueCertificate, startTlsFront } from "../../test/helpers/tls-front.ts";

/** The key that STS gives for any role. */
const ROLE_KEY = "ASIABENCHROLE0000001";

const emulator = await startEmulator({
  remembersCalls: false,
  accessKeys: { [ROLE_KEY]: { secretAccessKey: "secret", sessionToken: "token" } },
  script: ({ route }) => (route === "AssumeRole" ? { http: stsCredentials(route, ROLE_KEY) } : undefined),
});
const certificate = await issueCertificate();

async function startServices(roundTripMs: number): Promise<Record<string, string>> {
  const start = async () => (await startTlsFront(certificate, emulator.port, roundTripMs)).url;
  return { bedrock: await start(), runtime: await start(), sts: await start() };
}

const { url, accessKeyId, secretAccessKey, bearerToken } = emulator;
const { authority } = certificate;
const near = await startServices(0);
const far = await startServices(Number(process.argv[2]));
console.log(JSON.stringify({ url, accessKeyId, secretAccessKey, bearerToken, authority, near, far }));
process.stdin.resume().on("end", () => process.exit(0));
