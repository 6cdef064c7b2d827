// Node binaries of other versions, from npm's own packages of them.
import { mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { isMissing, root, runNpm } from "./set-up.js";

/** @param {string} file */
async function exists(file) {
  return stat(file).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

/**
 * Path of a Node binary of that version, installed when it is not there yet. `20` is the newest of that line. It is for this
 * kind of machine, or for the one that is named.
 * @param {string} version
 * @param {{ platform: string, arch: string }} [machine]
 */
export async function nodeBinary(version, { platform, arch } = process) {
  const isForHere = platform === process.platform && arch === process.arch;
  // npm takes away what is beside a package that it installs without saving.
  const place = isForHere ? `node-${version}` : `node-${version}-${platform}-${arch}`;
  const folder = path.join(root, "node_modules", ".cache", "openclaw", place);
  // The package named "node" only picks one of these in an install script; it is picked here, so that none runs.
  const system = platform === "win32" ? "win" : platform;
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  const name = `${prefix}-${system}-${arch}`;
  const binary = path.join(folder, "node_modules", name, "bin", system === "win" ? "node.exe" : "node");
  if (!(await exists(binary))) {
    await mkdir(folder, { recursive: true });
    await runNpm(
      [
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        // npm takes a package for another kind of machine only so.
        ...(isForHere ? [] : ["--force"]),
        "--prefix",
        folder,
        `${name}@${version}`,
      ],
      { cwd: folder },
    );
  }
  return binary;
}

/**
 * Path of this very Node where it is of that version, else as `nodeBinary`.
 * @param {string} version
 */
export async function nodeOf(version) {
  return version === process.versions.node ? process.execPath : nodeBinary(version);
}
