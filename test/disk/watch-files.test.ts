import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { rereadFiles } from "../../src/disk/watch-files.ts";
import { createHome } from "../helpers/openclaw.ts";

it.each([
  ["a file", ["file"], true],
  ["a file that is not there yet", ["file", "missing"], true],
  ["a pipe", ["file", "pipe"], false],
  ["stdin", ["-"], false],
  ["what a shell puts in for <(…)", ["/dev/fd/63"], false],
  ["a device", ["/dev/null"], false],
] as const)("reads again at SIGHUP what can be read again: %s", async (_, names, isReadAgain) => {
  const home = createHome();
  writeFileSync(path.join(home, "file"), "");
  execFileSync("mkfifo", [path.join(home, "pipe")]);
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const listeners: (() => void)[] = [];
  const onReload = (listener: () => void): (() => void) => {
    listeners.push(listener);
    return () => undefined;
  };
  await rereadFiles(names, { currentFolder: home, signal: end.signal, onReload }, async () => undefined);
  expect(listeners).toHaveLength(isReadAgain ? 1 : 0);
});
