import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { nodeBinary } from "../../scripts/node-binary.js";
import { isMissing, runNpm } from "../../scripts/set-up.js";
import { root } from "./documents.ts";

const packages = path.join(root, "test", "real-servers");

function lockIn(...place: string[]): { packages?: Record<string, { version?: string }> } | undefined {
  try {
    return JSON.parse(readFileSync(path.join(packages, ...place), "utf8")) as ReturnType<typeof lockIn>;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Writes DBHub, an MCP server for databases, into a folder as a program; installs it, and a Node that it takes, first. */
export async function writeDbhub(folder: string): Promise<void> {
  const name = "node_modules/@bytebase/dbhub";
  const wanted = lockIn("package-lock.json")?.packages?.[name]?.version;
  if (lockIn("node_modules", ".package-lock.json")?.packages?.[name]?.version !== wanted) {
    const args = ["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await runNpm(args, { cwd: packages });
  }
  const node = await nodeBinary("24");
  const script = path.join(packages, name, "dist", "index.js");
  const file = path.join(folder, "dbhub");
  writeFileSync(file, `#!/bin/sh\nexec "${node}" "${script}" "$@"\n`);
  chmodSync(file, 0o755);
}
