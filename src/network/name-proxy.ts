import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { namesProxy } from "./names-proxy.ts";

/** A `timeout` of a call to which nothing has come back, with the proxy that it went through; any other error as it is. */
export async function nameProxy(
  error: OpenclawError,
  url: () => string | Promise<string>,
  { env, isEmulated }: Pick<Runtime, "env" | "isEmulated">,
): Promise<OpenclawError> {
  if (error.code !== "timeout" || isEmulated || !namesProxy(env)) return error;
  const { findProxy } = await import("./proxy-settings.ts");
  const proxy = findProxy(await url(), env);
  if (!proxy) return error;
  const { tellProxy } = await import("./network-errors.ts");
  const { message, hint = "Try again." } = error;
  return new OpenclawError("timeout", {
    message: `${message.replace(/\.$/, "")}, and none of it has come through the ${tellProxy(proxy)}.`,
    hint: `${hint.replace(/\.$/, "")}; if it stays, check ${proxy.variable}: openclaw doctor`,
    cause: error,
  });
}
