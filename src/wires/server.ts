import { expandEnv } from "../config/expand-env.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { ProviderSettings } from "../config/settings.ts";
import { OpenclawError } from "../errors.ts";
import type { Api } from "../models/families.ts";
import { servedApi } from "../models/provider-api.ts";
import { decodeUserInfo, maskUserInfo } from "../network/user-info.ts";
import type { Environment } from "../runtime.ts";

export interface CalledServer {
  /** The provider's id. */
  name: string;
  /** Its address without user and password. */
  shownUrl: string;
  /** Its address, without a slash at the end of its path. */
  url: URL;
  /** Where its key is set, for hints. */
  keyPlace: string;
  /** What it speaks; undefined for AWS, which has errors of its own. */
  api?: Api;
}

/** A server of one of the APIs that is not AWS's, ready to be called. */
export interface OpenaiServer extends CalledServer {
  /** Sent with each request, by lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** What no message may tell: the key, the password and every header of the configuration. */
  secrets: readonly string[];
  /** The password in the address; empty where there is none. */
  password: string;
  /** Where its address is set, for hints. */
  urlPlace: string;
}

/**
 * Reads how a provider of the configuration is called. `${NAME}` takes its value from the environment. Throws
 * `config-invalid` for a provider without an address, a variable that is not set, and a key that `auth` wants and nobody
 * gave.
 */
export function serverOf(id: string, provider: ProviderSettings | undefined, env: Environment): OpenaiServer {
  const place = /^[\w-]+$/.test(id) ? `models.providers.${id}` : `models.providers[${JSON.stringify(id)}]`;
  const {
    api = "openai-completions",
    baseUrl,
    apiKey,
    auth = apiKey === undefined ? "none" : "api-key",
    headers = {},
  } = provider ?? {};
  const refuse = (field: string, message: string, value: string): OpenclawError =>
    new OpenclawError("config-invalid", {
      message,
      hint: `openclaw config set ${quoteForShell(`${place}.${field}`)} ${value}`,
      details: { path: `${place}.${field}` },
    });
  if (baseUrl === undefined)
    throw refuse("baseUrl", `The provider '${id}' has no address.`, servedApi(api).exampleUrl);
  if (auth === "aws-sdk") {
    const why = `'${id}' speaks ${api}, which AWS credentials do not open`;
    throw refuse("auth", `${place}.auth is aws-sdk, and ${why}.`, "api-key");
  }
  if (auth === "api-key" && apiKey === undefined) {
    const message = `${place}.auth is api-key, and there is no ${place}.apiKey.`;
    throw refuse("apiKey", message, "'${MY_API_KEY}'");
  }
  const key =
    auth === "api-key" && apiKey !== undefined ? expandEnv(apiKey, env, `${place}.apiKey`) : undefined;
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      expandEnv(value, env, `${place}.headers.${name}`),
    ]),
  );
  return openServer(id, expandEnv(baseUrl, env, `${place}.baseUrl`), {
    key,
    keyPlace: `${place}.apiKey`,
    urlPlace: `${place}.baseUrl`,
    headers: own,
    api,
  });
}

/**
 * A server by its address and key. A user and password in the address are sent as such where there is no key. Throws
 * `config-invalid` for an address that is no URL.
 */
export function openServer(
  name: string,
  baseUrl: string,
  {
    key,
    headers = {},
    api = "openai-completions",
    ...places
  }: Pick<OpenaiServer, "keyPlace" | "urlPlace"> & {
    api?: Api;
    key: string | undefined;
    headers?: Readonly<Record<string, string>>;
  },
): OpenaiServer {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const user = url && decodeUserInfo(url.username);
  const password = url && decodeUserInfo(url.password);
  if (!url || !/^https?:$/.test(url.protocol) || user === undefined || password === undefined) {
    throw new OpenclawError("config-invalid", {
      message: `${places.urlPlace} is '${maskUserInfo(baseUrl)}', which is not an http or https URL.`,
      hint: `Write it like ${servedApi(api).exampleUrl}, with user and password percent-encoded.`,
      details: { path: places.urlPlace },
    });
  }
  url.username = "";
  url.password = "";
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  const { root, headers: headersFor } = servedApi(api);
  if (!url.pathname.endsWith(root)) url.pathname = `${url.pathname === "/" ? "" : url.pathname}${root}`;
  const userInfo = Buffer.from(`${user}:${password}`).toString("base64");
  const basic = user === "" && password === "" ? undefined : `Basic ${userInfo}`;
  const secrets = [key?.trim(), password, ...Object.values(headers)].filter(
    (secret): secret is string => secret !== undefined && secret !== "",
  );
  return {
    name,
    url,
    shownUrl: `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`,
    headers: {
      ...(key === undefined && basic !== undefined ? { authorization: basic } : {}),
      ...headersFor(key?.trim()),
      ...headers,
    },
    api,
    secrets,
    password,
    ...places,
  };
}
