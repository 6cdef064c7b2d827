import { readFile } from "node:fs/promises";
import { ifSystemLets } from "../errors.ts";
import { CATALOG_DATE } from "../models/catalog.ts";
import type { Runtime } from "../runtime.ts";
import { type Check, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** The first Node version that AWS SDK releases from January 2027 run on: https://a.co/c895JFp */
const NEXT_NODE = 22;
const DOWNLOAD = "https://nodejs.org/en/download";

/** Where NodeSource's packages are for: https://github.com/nodesource/distributions */
const NODESOURCE = "nodesource.com/setup_24.x";

/**
 * What gives a system a Node of that version or newer, the first row that fits. Amazon Linux has a package for each:
 * https://docs.aws.amazon.com/linux/al2023/ug/nodejs.html. Fedora has 22 since 41: https://packages.fedoraproject.org/pkgs/nodejs22.
 * Ubuntu has 22 since 26.04, Debian 13 and Ubuntu 24.04 have older ones: `nodejs` in the package lists of
 * https://archive.ubuntu.com/ubuntu/dists/resolute/universe/binary-amd64/ and https://deb.debian.org/debian/dists/trixie/.
 */
const SYSTEMS: readonly { ids: readonly string[]; versions: RegExp; command: string }[] = [
  { ids: ["amzn"], versions: /^20\d\d/, command: "sudo dnf install -y nodejs24 nodejs24-npm" },
  // Node asks for glibc 2.28: https://github.com/nodejs/node/blob/main/BUILDING.md#platform-list
  {
    ids: ["amzn"],
    versions: /^2$/,
    command:
      "Amazon Linux 2 is too old for Node 22: move to Amazon Linux 2023, with sudo dnf install nodejs24",
  },
  {
    ids: ["centos", "rhel"],
    versions: /^[67]\b/,
    command: "This system is too old for Node 22, which needs glibc 2.28: move to a newer release of it",
  },
  { ids: ["alpine"], versions: /(?:)/, command: "apk add --upgrade nodejs npm" },
  { ids: ["fedora"], versions: /^\d/, command: "sudo dnf install -y nodejs" },
  {
    ids: ["rhel", "centos", "rocky", "almalinux", "ol"],
    versions: /(?:)/,
    command: `curl -fsSL https://rpm.${NODESOURCE} | sudo bash - && sudo dnf install -y nodejs`,
  },
  { ids: ["ubuntu"], versions: /^(2[6-9]|[3-9]\d)\./, command: "sudo apt-get install -y nodejs npm" },
  {
    ids: ["debian", "ubuntu"],
    versions: /(?:)/,
    command: `curl -fsSL https://deb.${NODESOURCE} | sudo -E bash - && sudo apt-get install -y nodejs`,
  },
];

/** The Node that runs this program. */
const runtimeCheck: Check<Examination> = {
  id: "runtime",
  title: "runtime",
  needs: [],
  hint: DOWNLOAD,
  run: async ({ runtime }) => judgeNode(runtime, await readRelease(runtime.platform)),
};

/** Warns of a Node version that the AWS SDK is about to leave behind. `release` is the text of this system's os-release. */
export function judgeNode(
  runtime: Pick<Runtime, "nodeVersion" | "platform" | "env">,
  release: string | undefined,
): Outcome {
  const detail = `Node ${runtime.nodeVersion} on ${runtime.platform}`;
  const major = Number(runtime.nodeVersion.split(".", 1)[0]);
  if (major >= NEXT_NODE) return ok(detail);
  return warn(
    `${detail}; AWS SDK releases from January 2027 need Node ${NEXT_NODE}`,
    managerCommand(runtime.env) ?? systemCommand(runtime.platform, release),
  );
}

/** The command of the version manager that this environment shows. */
function managerCommand(env: Runtime["env"]): string | undefined {
  if (env["VOLTA_HOME"]) return "volta install node@24";
  if (env["FNM_DIR"] || env["FNM_MULTISHELL_PATH"]) return "fnm install 24 && fnm default 24";
  if (env["NVM_DIR"]) return "nvm install 24 && nvm alias default 24";
  return undefined;
}

/** The command of the system's own package manager. */
function systemCommand(platform: NodeJS.Platform, release = ""): string {
  if (platform === "darwin") return "brew install node";
  if (platform === "win32") return "winget install OpenJS.NodeJS.LTS";
  const { ID = "", ID_LIKE = "", VERSION_ID = "" } = readFields(release);
  for (const id of [ID, ...ID_LIKE.split(" ")]) {
    const found = SYSTEMS.find((system) => system.ids.includes(id) && system.versions.test(VERSION_ID));
    if (found) return found.command;
  }
  return `Install Node 24 from ${DOWNLOAD}, or with a version manager: nvm install 24`;
}

/** The fields of os-release: https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
function readFields(release: string): Partial<Record<string, string>> {
  const lines = release.matchAll(/^([A-Z_]+)=(["']?)(.*?)\2\r?$/gm);
  return Object.fromEntries([...lines].map(([, name = "", , value = ""]) => [name, value]));
}

/** The os-release of this system; undefined where there is none. */
async function readRelease(platform: NodeJS.Platform): Promise<string | undefined> {
  if (platform !== "linux") return undefined;
  for (const file of ["/etc/os-release", "/usr/lib/os-release"]) {
    // Who may not read it, or has none, is told where Node is to be had.
    const text = await ifSystemLets(readFile(file, "utf8"));
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Models come and prices change: an older catalog is not worth relying on, in days. */
const OLD_CATALOG_DAYS = 120;

/** The catalog of models that comes with this program. */
const catalogCheck: Check<Examination> = {
  id: "catalog",
  title: "catalog",
  needs: [],
  hint: "npm install -g openclaw@latest",
  run: ({ runtime }) => Promise.resolve(judgeCatalog(runtime.now())),
};

/** Warns of a catalog that is old by now, in ms since 1970. */
export function judgeCatalog(now: number): Outcome {
  const days = Math.floor((now - Date.parse(CATALOG_DATE)) / 86_400_000);
  if (days <= OLD_CATALOG_DAYS) return ok(`models and prices as of ${CATALOG_DATE}`);
  return warn(`models and prices are ${days} days old (${CATALOG_DATE}): newer models are not in it`);
}

/** What is asked of the program itself, in the order in which it is shown. */
export const runtimeChecks = [runtimeCheck, catalogCheck];
