import type { Runtime } from "../runtime.ts";
import { type Check, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** The first Node version that AWS SDK releases from January 2027 run on: https://a.co/c895JFp */
const NEXT_NODE = 22;

/** The Node that runs this program. */
const runtimeCheck: Check<Examination> = {
  id: "runtime",
  title: "runtime",
  needs: [],
  hint: "https://nodejs.org/en/download",
  run: async ({ runtime }) => judgeNode(runtime),
};

/** Warns of a Node version that the AWS SDK is about to leave behind. */
export function judgeNode(runtime: Pick<Runtime, "nodeVersion" | "platform" | "env">): Outcome {
  const detail = `Node ${runtime.nodeVersion} on ${runtime.platform}`;
  const major = Number(runtime.nodeVersion.split(".", 1)[0]);
  if (major >= NEXT_NODE) return ok(detail);
  return warn(
    `${detail}; AWS SDK releases from January 2027 need Node ${NEXT_NODE}`,
    upgradeCommand(runtime.env),
  );
}

/** The command of the version manager that this environment shows. */
function upgradeCommand(env: Runtime["env"]): string {
  if (env["VOLTA_HOME"]) return "volta install node@24";
  if (env["FNM_DIR"] || env["FNM_MULTISHELL_PATH"]) return "fnm install 24 && fnm default 24";
  if (env["NVM_DIR"]) return "nvm install 24 && nvm alias default 24";
  return "Install Node 24 from https://nodejs.org/en/download, or with a version manager: nvm install 24";
}

/** What is asked of the runtime, in the order in which it is shown. */
export const runtimeChecks = [runtimeCheck];
