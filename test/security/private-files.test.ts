import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";

const MODEL = "amazon.nova-lite-v1:0";

const modeOf = (file: string): string => (lstatSync(file).mode & 0o777).toString(8);

/** Every file and folder under one, by its path there. */
function modesIn(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(path.join(folder, name)).isSymbolicLink())
    .map((name): [string, string] => [name, modeOf(path.join(folder, name))]);
  return Object.fromEntries([["", modeOf(folder)], ...entries]);
}

describe("what is written", () => {
  it("is for this user alone, whatever the umask", async () => {
    const user = await emulate();
    const umask = process.umask(0);
    try {
      for (const args of [
        ["config", "set", "agents.defaults.model", MODEL],
        ["config", "set", "agents.defaults.model", `amazon-bedrock/${MODEL}`],
        ["models", "list"],
        ["chat", "--session", "notes", "hi"],
      ]) {
        expect((await user.run(args)).code).toBe(0);
      }
    } finally {
      process.umask(umask);
    }
    const modes = modesIn(path.join(user.home, ".openclaw"));
    const wrong = Object.entries(modes).filter(([, mode]) => mode !== "600" && mode !== "700");
    expect(wrong).toEqual([]);
    expect(Object.keys(modes).some((name) => name.startsWith(path.join("cache", "models-")))).toBe(true);
    expect(modes[path.join("sessions", "notes.jsonl")]).toBe("600");
    expect(modes["openclaw.json.bak"]).toBe("600");
  });

  it.each([
    ["644", "holds an apiKey and can be read by others (mode 644)", "warn"],
    ["602", "openclaw.json (mode 602), and so send questions and keys elsewhere", "warn"],
    ["600", "openclaw.json", "ok"],
  ])("and a configuration with a key under mode %s: doctor says %j", async (mode, words, status) => {
    const user = await emulate();
    user.configure(
      '{ models: { providers: { other: { baseUrl: "https://x.example", apiKey: "sk-1", models: [] } } } }',
    );
    const file = path.join(user.home, ".openclaw", "openclaw.json");
    chmodSync(file, Number.parseInt(mode, 8));
    const { stdout, code } = await user.run(["doctor", "--json"]);
    const check = JSON.parse(stdout).checks.find(({ id }: { id: string }) => id === "config");
    expect(check).toMatchObject({ status, detail: expect.stringContaining(words) });
    if (status === "warn") expect(check.hint).toBe(`chmod 600 ${file}`);
    expect(code).toBe(0);
  });
});

/** A home folder in which somebody else has put links in the place of files to come, all to one file of value. */
async function besieged() {
  const user = await emulate();
  const state = path.join(user.home, ".openclaw");
  const victim = path.join(user.home, "victim");
  writeFileSync(victim, "of value");
  chmodSync(victim, 0o644);
  mkdirSync(path.join(state, "cache"), { recursive: true, mode: 0o700 });
  mkdirSync(path.join(state, "sessions"), { mode: 0o700 });
  return {
    user,
    state,
    plant: (name: string) => symlinkSync(victim, path.join(state, name)),
    expectUntouched: () => {
      expect(readFileSync(victim, "utf8")).toBe("of value");
      expect(modeOf(victim)).toBe("644");
    },
  };
}

describe("a link that somebody has put where a file goes", () => {
  it("is replaced in the cache, not followed", async () => {
    // The name of a list follows from identity and endpoint: what one person's has, another's has.
    const first = await emulate();
    await first.run(["models", "list"]);
    const names = readdirSync(path.join(first.home, ".openclaw", "cache"));
    const list = path.join("cache", names.find((name) => name.endsWith(".json")) ?? "");
    const { user, state, plant, expectUntouched } = await besieged();
    plant(list);
    const env = { AWS_ENDPOINT_URL: first.emulator.url };
    expect((await user.run(["models", "list"], { env })).code).toBe(0);
    expectUntouched();
    expect(lstatSync(path.join(state, list)).isFile()).toBe(true);
  });

  it("is replaced where a failure is told to other processes", async () => {
    const first = await emulate({
      script: () => ({ error: { name: "AccessDeniedException", message: "No." } }),
    });
    await first.run(["models", "list"]);
    const names = readdirSync(path.join(first.home, ".openclaw", "cache"));
    const failed = names.find((name) => name.endsWith(".failed"));
    const { user, plant, expectUntouched } = await besieged();
    plant(path.join("cache", failed ?? ""));
    const result = await user.run(["models", "list"], { env: { AWS_ENDPOINT_URL: first.emulator.url } });
    expect(result.code).toBe(4);
    expectUntouched();
  });

  it("is refused where a session is kept", async () => {
    const { user, plant, expectUntouched } = await besieged();
    plant(path.join("sessions", "notes.jsonl"));
    const result = await user.run(["chat", "-m", MODEL, "--session", "notes", "hi"]);
    expectUntouched();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("notes.jsonl");
  });

  it("is replaced where the backup of the configuration goes", async () => {
    const { user, plant, expectUntouched } = await besieged();
    user.configure("{}");
    plant("openclaw.json.bak");
    expect((await user.run(["config", "set", "agents.defaults.model", MODEL])).code).toBe(0);
    expectUntouched();
  });
});
