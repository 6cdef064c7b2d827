import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { AwsCredentialIdentity } from "@smithy/types";
import { isLoopback, withoutBrackets } from "../loopback.ts";
import { OpenclawError } from "../errors.ts";
import { createRequestHandler, type HandlerOptions } from "../network/request-handler.ts";
import { queryParameters } from "../network/query-parameters.ts";
import { HttpRequest } from "../network/sdk-parts.ts";
import { isOfThisMachine } from "../network/proxy-settings.ts";
import { readBytes } from "../read-bytes.ts";
import { maskUserInfo } from "../network/user-info.ts";
import type { Environment, Runtime } from "../runtime.ts";
import { readExpiry } from "./expiry.ts";
import { ASKED } from "./resolution-error.ts";

/** Time for one answer of the endpoint, and before the second try, in ms. */
const ANSWER_MS = 1000;

/**
 * Asks the credentials endpoint of a container, as the SDK's own provider does
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html), but over TLS that a CA bundle of
 * this machine vouches for, and with the failure of a connection as it was. Once more where an answer did not come, or was
 * a 429 or 5xx, or gave what had expired. Throws what the connection throws, and an `Error` in the SDK's words for another
 * answer than credentials.
 */
export async function askContainer(
  runtime: Runtime,
  options: HandlerOptions,
): Promise<AwsCredentialIdentity> {
  const { env } = runtime;
  const url = urlOf(env);
  if (
    url.protocol !== "https:" &&
    !isOfThisMachine(url.hostname) &&
    !isLoopback(withoutBrackets(url.hostname))
  ) {
    throw new Error(
      "URL not accepted: it has to be https://, or name this machine or the endpoint of ECS or EKS",
    );
  }
  // The proxy of a network is no way to what only this machine has.
  const handler = await createRequestHandler(runtime, ANSWER_MS, {
    ...options,
    asked: ASKED.container,
    isDirect: true,
  });
  const tokenFile = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  const ask = async (): Promise<Answer> => {
    const token = tokenFile
      ? (await readFile(tokenFile, "utf8")).trim()
      : env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
    const { protocol, hostname, host, port, pathname, searchParams } = url;
    const request = new HttpRequest({
      protocol,
      hostname,
      ...(port === "" ? {} : { port: Number(port) }),
      path: pathname,
      query: queryParameters(searchParams),
      headers: { host, ...(token === undefined ? {} : { Authorization: token }) },
    });
    const { response } = await handler.handle(request, { abortSignal: runtime.signal });
    const body = await readBytes(response.body as AsyncIterable<Uint8Array>);
    return { status: response.statusCode, body: body.toString("utf8") };
  };
  try {
    const first = await ask().catch((failure: unknown) => ({ failure }));
    if ("status" in first && first.status !== 429 && first.status < 500) {
      const credentials = readCredentials(first);
      if (Number(credentials.expiration) > runtime.now()) return credentials;
    }
    await wait(ANSWER_MS, undefined, { signal: runtime.signal });
    return readCredentials(await ask());
  } finally {
    handler.destroy();
  }
}

const RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

/** The variable that names the endpoint. */
export function containerVariable(env: Environment): string {
  return env[RELATIVE] ? RELATIVE : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
}

/** Throws `config-invalid` for a variable that makes no URL. */
function urlOf(env: Environment): URL {
  const name = containerVariable(env);
  const relative = name === RELATIVE;
  const text = env[name] ?? "";
  const example = relative ? "/v2/credentials/ID" : "http://169.254.170.23/v1/credentials";
  const whole = relative ? `http://169.254.170.2${text}` : text;
  const isPath = !relative || text.startsWith("/");
  if (isPath && URL.canParse(whole) && /^https?:$/.test(new URL(whole).protocol)) return new URL(whole);
  throw new OpenclawError("config-invalid", {
    message: `${name} '${maskUserInfo(text)}' is not ${relative ? "a path that begins with /" : "an http or https URL"}.`,
    hint: `export ${name}=${example}`,
  });
}

interface Answer {
  status: number;
  body: string;
}

function readCredentials({ status, body }: Answer): AwsCredentialIdentity {
  if (status !== 200) throw new Error(`Server responded with status: ${status}`);
  const document = JSON.parse(body) as Partial<Record<string, unknown>> | null;
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = document ?? {};
  const expiration = readExpiry(Expiration);
  const isWhole = [AccessKeyId, SecretAccessKey, Token].every((part) => typeof part === "string");
  if (!isWhole || !expiration) {
    throw new Error("The answer is not AccessKeyId, SecretAccessKey, Token and Expiration");
  }
  return {
    accessKeyId: String(AccessKeyId),
    secretAccessKey: String(SecretAccessKey),
    sessionToken: String(Token),
    expiration,
  };
}
