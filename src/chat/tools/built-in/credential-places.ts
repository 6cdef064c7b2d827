import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { locateConfig } from "../../../config/file.ts";
import { expandHome, stateFolder } from "../../../disk/state-folder.ts";
import { ifSystemLets } from "../../../errors.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";

/**
 * Where programs keep credentials: folders and files, anywhere in a path, in any case. `*` stands for any characters of a name. docs/tools.md has the same.
 */
export const PLACES: readonly string[] = [
  ".aws",
  ".azure",
  ".credentials.json",
  ".codex/auth.json",
  ".config/gcloud",
  ".config/gh",
  ".config/github-copilot",
  ".config/op",
  ".config/rclone",
  ".docker/config.json",
  ".gemini/oauth_creds.json",
  ".gnupg",
  ".kube",
  ".local/share/keyrings",
  ".oci",
  ".openclaw",
  ".password-store",
  ".ssh",
  "etc/gshadow*",
  "etc/shadow*",
  "library/keychains",
  "run/secrets",
  ".*_history",
  ".boto",
  ".cargo/credentials*",
  ".config/git/credentials",
  ".databrickscfg",
  ".dockercfg",
  ".env",
  ".env.*",
  ".env~",
  "*.env",
  ".gem/credentials",
  ".git-credentials",
  ".htpasswd",
  ".m2/settings.xml",
  ".my.cnf",
  ".netrc",
  "_netrc",
  ".npmrc",
  ".pgpass",
  ".pypirc",
  ".s3cfg",
  ".terraformrc",
  ".vault-token",
  "credentials.tfrc.json",
  "id_dsa",
  "id_ecdsa*",
  "id_ed25519*",
  "id_rsa*",
  "*.jks",
  "*.kdbx",
  "*.keystore",
  "*.p12",
  "*.pfx",
  "*.ppk",
  "*.tfstate",
  "*.tfstate.backup",
];

/** What is named like those and is there to be read. */
const OPEN_NAME = /(?:^|[/\\])(?:\.env\.(?:dist|example|sample|template)|[^/\\]*\.pub)$/i;

/** A path that has such a place in it. */
const PLACE = new RegExp(`(?:^|[/\\\\])(${PLACES.map(toPattern).join("|")})(?=[/\\\\]|$)`, "i");

function toPattern(place: string): string {
  const patterns: Readonly<Record<string, string>> = { ".": "\\.", "*": "[^/\\\\]*", "/": "[/\\\\]" };
  return place.replace(/[.*/]/g, (character) => patterns[character] ?? "");
}

/** Variables that say where such a file or folder is instead. */
const NAMED_BY = [
  "AWS_CONFIG_FILE",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AZURE_CONFIG_DIR",
  "CLOUDSDK_CONFIG",
  "DOCKER_CONFIG",
  "GH_CONFIG_DIR",
  "GNUPGHOME",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "KUBECONFIG",
  "NETRC",
  "NPM_CONFIG_USERCONFIG",
  "PGPASSFILE",
];

/** What the system makes up when it is read: the environment of processes is in there. */
const MADE_UP = ["/proc", "/sys", "/dev"];

/** Tells of a path why what it leads to is not to be read. */
export class CredentialPlaces {
  readonly #places: readonly string[];
  /** The files among them, and those in AWS's folder, as the disk knows them: a hard link is the same file. */
  readonly #files: ReadonlySet<string>;

  private constructor(places: readonly string[], files: ReadonlySet<string>) {
    this.#places = places;
    this.#files = files;
  }

  /** Those of the table, of this program's own files, and of where the environment and links in the home folder lead. */
  static async find(
    runtime: Runtime,
    options: Pick<GlobalOptions, "config"> = {},
  ): Promise<CredentialPlaces> {
    const { env, homeFolder, currentFolder } = runtime;
    const named = [
      stateFolder(runtime),
      locateConfig(options, runtime).file,
      locateConfig({}, runtime).file,
      ...PLACES.map((place) => path.join(homeFolder, place)),
      ...NAMED_BY.flatMap((name) => env[name]?.split(path.delimiter) ?? []).map((place) =>
        path.resolve(currentFolder, expandHome(place, homeFolder)),
      ),
    ];
    const real = await Promise.all(named.map(realOr));
    const places = new Set([...named, ...real]);
    const inAws = ["config", "credentials"].map((name) => path.join(homeFolder, ".aws", name));
    const files = await Promise.all([...places, ...inAws].map(identityOf));
    return new CredentialPlaces([...MADE_UP, ...places], new Set(files.filter((file) => file !== "")));
  }

  /** Whether a file is one of those places under another name. */
  isOneOf(stats: Stats): boolean {
    return stats.nlink > 1 && this.#files.has(identify(stats));
  }

  /** Which place of credentials a real path is in; undefined where it is in none. */
  placeOf(file: string): string | undefined {
    const place = this.#places.find((place) => isWithin(place, file));
    if (place !== undefined) return path.basename(place);
    return PLACE.exec(OPEN_NAME.test(file) ? path.dirname(file) : file)?.[1];
  }
}

/** Whether a path is a folder, or in it. Both are absolute, without `..` in them. */
export function isWithin(folder: string, file: string): boolean {
  if (!file.startsWith(folder)) return false;
  return file.length === folder.length || folder.endsWith(path.sep) || file[folder.length] === path.sep;
}

function identify({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** How the disk knows a file; empty for what is none. */
async function identityOf(file: string): Promise<string> {
  const stats = await ifSystemLets(stat(file));
  return stats?.isFile() ? identify(stats) : "";
}

async function realOr(place: string): Promise<string> {
  return (await ifSystemLets(realpath(place))) ?? place;
}
