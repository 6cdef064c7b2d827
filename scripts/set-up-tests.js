import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildWhenStale } from "./set-up.js";

/**
 * What vitest does once before its tests: they start the built program, and never an old one, and know which commands
 * those in other processes have started.
 * @param {import("vitest/node").TestProject} project
 */
export default async function setUpTests(project) {
  await buildWhenStale((step) => process.stderr.write(`...  ${step}\n`));
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-proven-"));
  project.provide("provenFolder", folder);
  return () => rm(folder, { recursive: true });
}
