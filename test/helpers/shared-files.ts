import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes ~/.aws/config and ~/.aws/credentials of a test's home folder. */
export function writeSharedFiles(home: string, files: { config?: string; credentials?: string }): void {
  mkdirSync(path.join(home, ".aws"), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(home, ".aws", name), text);
}

/** Writes the cached sign-in of IAM Identity Center, as `aws sso login` does; `name` is the session or the start URL. */
export async function writeSsoToken(
  home: string,
  name: string,
  token: Record<string, unknown>,
): Promise<void> {
  const { createHash } = await import("node:crypto");
  const folder = path.join(home, ".aws", "sso", "cache");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, `${createHash("sha1").update(name).digest("hex")}.json`),
    JSON.stringify(token),
  );
}
