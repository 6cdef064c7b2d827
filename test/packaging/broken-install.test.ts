import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../helpers/documents.ts";
import { createHome, emptyEnvironment, nodeBinary } from "../helpers/openclaw.ts";

const CHAT = ["chat", "--emulator", "--json", "-m", "amazon.nova-lite-v1:0", "hi"];
const NEXT = "hint: Install it again: npm install -g openclaw\n";

let home: string;
let folder: string;

beforeAll(() => {
  home = createHome(afterAll);
  folder = path.join(home, "package");
  mkdirSync(folder);
  for (const name of ["bin", "dist"])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  copyFileSync(path.join(root, "package.json"), path.join(folder, "package.json"));
});

const CUT = "is not whole";
const GONE = "is missing";

it.each(
  ["main", "config", "setup", "aws", "chat"].flatMap((name) => [CUT, GONE].map((what) => ({ name, what }))),
)("is said of a package whose $name.js $what, and what to do", ({ name, what }) => {
  const file = path.join(folder, "dist", `${name}.js`);
  const whole = readFileSync(file);
  if (what === CUT) writeFileSync(file, whole.subarray(0, 3000));
  else rmSync(file);
  const { stdout, stderr, status } = spawnSync(
    nodeBinary,
    [path.join(folder, "bin", "openclaw.js"), ...CHAT],
    {
      encoding: "utf8",
      env: emptyEnvironment(home),
    },
  );
  writeFileSync(file, whole);
  const message = `This installation is broken: ${name}.js ${what}.`;
  expect({ stderr, status }).toEqual({ stderr: `error: ${message}\n${NEXT}`, status: 1 });
  // Whoever writes JSON is main.js.
  if (name !== "main") expect(JSON.parse(stdout)).toMatchObject({ error: { code: "internal", message } });
});
