import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { keepLessons, recallLessons } from "../../src/discovery/lesson-cache.ts";
import type { Setup } from "../../src/session/session.ts";
import { createHome } from "../helpers/openclaw.ts";

const PLACE = ["us-east-1", "", "example.model"];

/** A process with a clock that the test moves, in ms. */
function openProcess(home: string): { setup: Setup; clock: { at: number } } {
  const clock = { at: 0 };
  const runtime = {
    env: { HOME: home },
    homeFolder: home,
    isEmulated: false,
    now: () => 1_000_000 + clock.at,
    elapsed: () => clock.at,
    signal: new AbortController().signal,
    terminal: { verbose: (): void => undefined },
  };
  const config = { file: path.join(home, "openclaw.json"), exists: false, value: {} };
  return { setup: { runtime, config, keepsNothing: false } as unknown as Setup, clock };
}

it("a process reads what was learnt once a second while it uses what it knows, and knows at once what it has learnt itself", async () => {
  const home = createHome();
  const [server, other] = [openProcess(home), openProcess(home)];
  const recall = async ({ setup }: typeof server): Promise<string[]> =>
    (await recallLessons(setup, PLACE)).map(({ name }) => name);
  expect(await recall(server)).toEqual([]);
  await keepLessons(other.setup, PLACE, [{ name: "temperature" }]);
  expect(await recall(other)).toEqual(["temperature"]);
  server.clock.at = 999;
  expect(await recall(server)).toEqual([]);
  server.clock.at = 1000;
  expect(await recall(server)).toEqual([]);
  expect(await recall(server)).toEqual(["temperature"]);
  await keepLessons(server.setup, PLACE, [{ name: "topP" }]);
  expect(await recall(server)).toEqual(["temperature", "topP"]);
  // Between two looks nothing is read.
  const folder = path.join(home, ".openclaw", "cache");
  const [file = ""] = readdirSync(folder);
  writeFileSync(path.join(folder, file), "{");
  expect(await recall(server)).toEqual(["temperature", "topP"]);
  server.clock.at = 2000;
  expect(await recall(server)).toEqual(["temperature", "topP"]);
  expect(await recall(server)).toEqual([]);
  // What was read long ago is not used any more.
  await keepLessons(other.setup, PLACE, [{ name: "temperature" }]);
  server.clock.at += 60_000;
  expect(await recall(server)).toEqual(["temperature"]);
  // Another command in the same process has its own configuration, and looks for itself.
  expect(await recall(openProcess(home))).toEqual(["temperature"]);
});

it("printed lists, which say how models are called, are made anew once that is learnt, and only then", async () => {
  const home = createHome();
  const { setup } = openProcess(home);
  const folder = path.join(home, ".openclaw", "cache");
  const printed = (): string[] => readdirSync(folder).filter((name) => name.startsWith("ready-"));
  const print = (): void => writeFileSync(path.join(folder, `ready-${"0".repeat(32)}.json`), "{}");
  await keepLessons(setup, PLACE, [{ name: "temperature" }]);
  print();
  await keepLessons(setup, PLACE, [{ name: "topP" }]);
  expect(printed()).toHaveLength(1);
  await keepLessons(setup, PLACE, [{ name: "other-wire" }]);
  expect(printed()).toEqual([]);
  print();
  await keepLessons(setup, PLACE, [{ name: "other-wire" }]);
  expect(printed()).toHaveLength(1);
});
