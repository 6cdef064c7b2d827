// Packs the package as npm would publish it, and lets publint look at it: node scripts/check-package.js
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { runNpm } from "./set-up.js";

const folder = await mkdtemp(path.join(tmpdir(), "openclaw-package-"));
try {
  await runNpm(["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder]);
  const [name = ""] = await readdir(folder);
  const { buffer, byteOffset, byteLength } = await readFile(path.join(folder, name));
  const { messages, pkg } = await publint({
    pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
    strict: true,
  });
  for (const message of messages)
    console.error(`${message.type}: ${formatMessage(message, pkg, { color: false })}`);
  if (messages.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
