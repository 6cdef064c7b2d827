import type { Environment } from "../runtime.ts";

/** Whether the environment names any proxy at all: cheap, for what every start asks. */
export function namesProxy(env: Environment): boolean {
  return Object.keys(env).some((name) => /^(https?|all)_proxy$/i.test(name));
}
