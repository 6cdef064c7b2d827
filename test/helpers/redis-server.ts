import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";
import { root } from "./documents.ts";

const folder = path.join(root, "test", "real-servers", "redis");
/** Debian's packages of the server and of what it needs that is not on every machine. */
const PACKAGES =
  "redis-server redis-tools liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 libsystemd0".split(
    " ",
  );

/** Redis as it is installed, or as Debian packs it, which needs no rights of root to be unpacked. */
function findRedis(): { command: string; env: NodeJS.ProcessEnv } {
  const installed = (process.env["PATH"] ?? "")
    .split(":")
    .map((place) => path.join(place, "redis-server"))
    .find(existsSync);
  if (installed !== undefined) return { command: installed, env: {} };
  if (!existsSync(folder)) {
    const fresh = mkdtempSync(`${folder}-`);
    try {
      execFileSync("apt-get", ["download", "--quiet", ...PACKAGES], { cwd: fresh, stdio: "pipe" });
      const files = readdirSync(fresh).filter((name) => name.endsWith(".deb"));
      for (const name of files) execFileSync("dpkg", ["-x", name, "."], { cwd: fresh });
      // Another process of the tests may have been quicker.
      if (!existsSync(folder)) renameSync(fresh, folder);
    } catch (cause) {
      throw new Error("Redis cannot be unpacked from Debian's packages: install it as redis-server.", {
        cause,
      });
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const libraries = readdirSync(path.join(folder, "usr", "lib")).map((name) =>
    path.join(folder, "usr", "lib", name),
  );
  return {
    command: path.join(folder, "usr", "bin", "redis-server"),
    env: { LD_LIBRARY_PATH: libraries.join(":") },
  };
}

export interface RealRedis {
  url: string;
  port: number;
  /** Ends it as a machine does that loses its power. */
  kill(): Promise<void>;
  /** Stops it where it is, as a machine does that has too much else to do; it goes on with what came meanwhile. */
  pause(): void;
  resume(): void;
  /** Starts it again, on the same port, with nothing of what it knew. */
  restart(): Promise<void>;
}

/** A Redis of the test's own that keeps nothing on disk. */
export async function startRedis(options: readonly string[] = []): Promise<RealRedis> {
  const { command, env } = findRedis();
  const home = mkdtempSync(path.join(tmpdir(), "openclaw-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", home, ...options];
  const start = async (): Promise<ReturnType<typeof spawn>> => {
    const started = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    for await (const chunk of started.stdout) {
      said += String(chunk);
      if (said.includes("Ready to accept connections")) break;
    }
    started.stdout.resume();
    if (!said.includes("Ready to accept")) throw new Error(`Redis does not start: ${said}`);
    return started;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  onTestFinished(async () => {
    await kill();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    restart: async () => {
      await kill();
      child = await start();
    },
  };
}
