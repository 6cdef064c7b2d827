import { spawn } from "node:child_process";
import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { followLinks, replaceFile } from "../../src/disk/atomic-write.ts";
import { updateConfig } from "../../src/config/update.ts";
import { createHome, emptyEnvironment } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const failures = vi.hoisted(() => ({ operation: "", code: "" }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const fail = (operation: string): void => {
    if (failures.operation !== operation) return;
    throw Object.assign(new Error(`${failures.code}: no luck with ${operation}`), { code: failures.code });
  };
  return {
    ...real,
    rename: async (from: string, to: string) => {
      fail("rename");
      return real.rename(from, to);
    },
    symlink: async (target: string, file: string) => {
      fail("symlink");
      return real.symlink(target, file);
    },
    link: async (from: string, to: string) => {
      fail("link");
      return real.link(from, to);
    },
    open: async (file: string, flags: string, mode?: number): Promise<FileHandle> => {
      if (flags === "wx") fail("open");
      const handle = await real.open(file, flags, mode);
      return new Proxy(handle, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function") return method;
          return async (...args: unknown[]): Promise<unknown> => {
            if (flags === "wx") {
              // What was written before the disk was full is there.
              if (name === "writeFile" && failures.operation === "writeFile")
                await target.writeFile("{ half");
              fail(String(name));
            }
            return Reflect.apply(method, target, args) as unknown;
          };
        },
      });
    },
  };
});

afterEach(() => {
  failures.operation = "";
});

const edits = [{ op: "set" as const, path: ["models", "bedrockDiscovery", "region"], value: "eu-west-1" }];

function homeWith(text: string): { home: string; file: string } {
  const home = createHome();
  const file = path.join(home, ".openclaw", "openclaw.json");
  mkdirSync(path.dirname(file));
  writeFileSync(file, text);
  return { home, file };
}

test.each([
  ["open", "ENOSPC", "the disk is full"],
  ["writeFile", "ENOSPC", "the disk is full"],
  ["writeFile", "EDQUOT", "the disk quota is used up"],
  ["writeFile", "EIO", "the disk reports an error"],
  ["sync", "EIO", "the disk reports an error"],
  ["link", "ENOSPC", "the disk is full"],
  ["rename", "EROFS", "the file system is read-only"],
  ["symlink", "EACCES", "permission denied"],
  ["symlink", "ENOSPC", "the disk is full"],
])(
  "when %s fails with %s the file is as it was and nothing else is left",
  async (operation, code, reason) => {
    const { home, file } = homeWith("{ a: 1 } // mine");
    Object.assign(failures, { operation, code });
    await expect(updateConfig({}, testRuntime({ home }), edits)).rejects.toMatchObject({
      code: "internal",
      exitCode: 1,
      message: `Cannot write ${file}: ${reason}. Nothing was changed.`,
    });
    expect(readFileSync(file, "utf8")).toBe("{ a: 1 } // mine");
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json"]);
  },
);

test("a file system without symbolic or hard links is written all the same", async () => {
  const { home, file } = homeWith("{}");
  Object.assign(failures, { operation: "symlink", code: "EPERM" });
  await updateConfig({}, testRuntime({ home }), edits);
  Object.assign(failures, { operation: "link", code: "EPERM" });
  await updateConfig({}, testRuntime({ home }), [{ op: "unset", path: ["models"] }]);
  expect(readFileSync(file, "utf8")).toBe("{}");
  expect(readFileSync(`${file}.bak`, "utf8")).toContain("eu-west-1");
  expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json", "openclaw.json.bak"]);
});

test("what another program writes in between is not lost", async () => {
  const { home, file } = homeWith("{ a: 1 }");
  const runtime = testRuntime({ home });
  let interference = 0;
  const random = (): number => {
    // Asked for a name of the temporary file: after the configuration was read, before it is replaced.
    if (interference < 2 && readdirSync(path.dirname(file)).some((name) => name.endsWith(".lock"))) {
      interference += 1;
      writeFileSync(file, `{ a: 1, other${interference}: true }`);
    }
    return Math.random();
  };
  await updateConfig({}, { ...runtime, random }, edits);
  expect(interference).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(
    '{ a: 1, other2: true, models: { bedrockDiscovery: { region: "eu-west-1" } } }',
  );
});

test("temporary files of killed writers are cleared away", async () => {
  const { home, file } = homeWith("{}");
  writeFileSync(path.join(path.dirname(file), ".openclaw.json.abc.tmp"), "half");
  writeFileSync(path.join(path.dirname(file), ".openclaw.json.abc.bak.tmp"), "half");
  writeFileSync(path.join(path.dirname(file), ".other.json.abc.tmp"), "not ours");
  await updateConfig({}, testRuntime({ home }), edits);
  expect(readdirSync(path.dirname(file)).sort()).toEqual([
    ".other.json.abc.tmp",
    "openclaw.json",
    "openclaw.json.bak",
  ]);
});

test("symbolic links in a circle are an error, not an endless loop", async () => {
  const home = createHome();
  symlinkSync("b", path.join(home, "a"));
  symlinkSync("a", path.join(home, "b"));
  await expect(
    updateConfig({ config: path.join(home, "a") }, testRuntime({ home }), edits),
  ).rejects.toMatchObject({
    code: "config-unreadable",
  });
  expect(await followLinks(path.join(home, "none"))).toBe(path.join(home, "none"));
});

test("what is not a file is not replaced", async () => {
  const home = createHome();
  const folder = path.join(home, "folder");
  mkdirSync(folder);
  await expect(
    replaceFile(folder, { text: "{}" }, Math.random, () => Promise.resolve(true)),
  ).rejects.toMatchObject({
    code: "config-unreadable",
  });
  expect(readdirSync(home)).toEqual(["folder"]);
});

test("a folder that may not be written is exit 1 with the file intact", async () => {
  const { home, file } = homeWith("{ a: 1 }");
  const folder = path.dirname(file);
  const root = path.join(import.meta.dirname, "../..");
  // Permissions mean nothing to the superuser, so the program runs as nobody, from where nobody can read it.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  for (const part of ["bin", "dist"])
    cpSync(path.join(root, part), path.join(home, part), { recursive: true });
  chmodSync(home, 0o755);
  chmodSync(folder, 0o555);
  const program = path.join(home, "bin", "openclaw.js");
  const child = spawn(
    process.execPath,
    [program, "config", "set", "models.bedrockDiscovery.region", "eu-west-1"],
    {
      env: emptyEnvironment(home, { NODE_V8_COVERAGE: undefined }),
      cwd: home,
      stdio: ["ignore", "pipe", "pipe"],
      ...nobody,
    },
  );
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.resume();
  const [code] = (await once(child, "close")) as [number];
  chmodSync(folder, 0o755);
  expect(stderr).toContain(`Cannot write ${file}: permission denied. Nothing was changed.`);
  expect(code).toBe(1);
  expect(readFileSync(file, "utf8")).toBe("{ a: 1 }");
  expect(existsSync(`${file}.lock`)).toBe(false);
});
