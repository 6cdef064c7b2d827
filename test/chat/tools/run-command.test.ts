import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type Command,
  type CommandRun,
  environmentFor,
  runCommand,
} from "../../../src/chat/tools/run-command.ts";
import { createRuntime, type Runtime } from "../../../src/runtime.ts";
import { isRunning } from "../../helpers/is-running.ts";
import { createHome } from "../../helpers/openclaw.ts";

const PATH = process.env["PATH"] ?? "";
const runtime = createRuntime(() => new AbortController().signal);
const node = process.execPath;

interface Ran extends CommandRun {
  out: string;
  err: string;
  folder: string;
  /** In ms. */
  took: number;
}

async function run(
  command: readonly string[],
  more: Partial<Command> = {},
  signal = new AbortController().signal,
  parts: Partial<Runtime> = {},
): Promise<Ran> {
  const folder = more.folder ?? createHome();
  const startedAt = performance.now();
  const result = await runCommand(
    { command, env: { PATH }, folder, timeoutSeconds: 20, ...more },
    { ...runtime, platform: process.platform, ...parts },
    signal,
  );
  return {
    ...result,
    out: result.stdout.beginning.toString(),
    err: result.stderr.beginning.toString(),
    folder,
    took: performance.now() - startedAt,
  };
}

const sh = (script: string, ...rest: [Partial<Command>?, AbortSignal?]): Promise<Ran> =>
  run(["sh", "-c", script], ...rest);

/** The ids of processes that a script has written down, one a line. */
function idsIn(folder: string): number[] {
  const ids = readFileSync(path.join(folder, "ids"), "utf8").trim().split("\n").map(Number);
  // What leaves its group is ended by the test.
  onTestFinished(() => {
    for (const id of ids.filter(isRunning)) process.kill(id, "SIGKILL");
  });
  return ids;
}

/** What was just killed is there for a moment longer. */
async function expectGone(folder: string): Promise<void> {
  const ids = idsIn(folder);
  expect(ids.length).toBeGreaterThan(0);
  await vi.waitFor(() => expect(ids.filter(isRunning)).toEqual([]), { timeout: 1000, interval: 5 });
}

async function untilThere(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a command", () => {
  test("gets its input, its folder and its environment, and no other", async () => {
    const folder = createHome();
    const script = 'cat; pwd -P; env | grep -v "^_=\\|^PWD=\\|^SHLVL=\\|^OLDPWD=" | sort; echo no >&2';
    const ran = await sh(script, { input: '{"a":"ä"}\n', folder, env: { PATH, A: "1 2" } });
    expect(ran).toMatchObject({
      out: `{"a":"ä"}\n${folder}\nA=1 2\nPATH=${PATH}\n`,
      err: "no\n",
      end: { kind: "exit", code: 0 },
    });
  });

  test("is given each argument as it is", async () => {
    const words = ["", " ", "$HOME", "a;b", '"', "'", "*", "-n", "ä\n", "\\", "`id`", "$(id)"];
    const ran = await run([node, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--", ...words]);
    expect(JSON.parse(ran.out)).toEqual(words);
  });

  test("without input has stdin at its end", async () => {
    expect(await sh("cat; echo done")).toMatchObject({ out: "done\n" });
  });

  test.each<[string, CommandRun["end"]]>([
    ["exit 3", { kind: "exit", code: 3 }],
    ["exit 255", { kind: "exit", code: 255 }],
    ["kill -9 $$", { kind: "signal", signal: "SIGKILL" }],
    ["kill -SEGV $$", { kind: "signal", signal: "SIGSEGV" }],
  ])("that does %s is told to have done so", async (script, end) => {
    expect((await sh(script)).end).toEqual(end);
  });

  test.each([
    ["reads nothing", "exit 0"],
    ["closes its stdin", "exec 0<&-; exit 0"],
    ["reads a byte", "head -c1 >/dev/null"],
  ])("that %s of a long input is no error", async (_, script) => {
    expect((await sh(script, { input: "x".repeat(3_000_000) })).end).toEqual({ kind: "exit", code: 0 });
  });

  test("has a long input whole", async () => {
    expect((await sh("wc -c", { input: "x".repeat(3_000_000) })).out.trim()).toBe("3000000");
  });

  test("has no terminal, and cannot ask a person past this program", async () => {
    expect((await sh("(: </dev/tty) 2>/dev/null && echo terminal || echo none")).out).toBe("none\n");
  });
});

describe("what a command writes", () => {
  test("is kept from its beginning and its end, however much it is", async () => {
    const ran = await sh("echo first; head -c 20000000 /dev/zero; echo last");
    expect(ran.stdout.length).toBe(20_000_011);
    expect(ran.stdout.beginning.length).toBe(4 * 1024 * 1024);
    expect(ran.stdout.beginning.toString("latin1", 0, 6)).toBe("first\n");
    expect(ran.stdout.end.length).toBe(128 * 1024);
    expect(ran.stdout.end.toString("latin1").endsWith("\0last\n")).toBe(true);
  });

  test.each([0, 1, 4 * 1024 * 1024 - 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 4_500_000])(
    "is whole in both parts together for %i bytes",
    async (count) => {
      const { stdout } = await sh(`head -c ${count} /dev/urandom | tee copy`, { folder: createHome() });
      expect(stdout.length).toBe(count);
      const missing = count - stdout.beginning.length - stdout.end.length;
      expect(missing).toBe(Math.max(0, count - 4 * 1024 * 1024 - 128 * 1024));
    },
  );

  test("in very many small pieces takes no more memory", async () => {
    const script =
      "let n=0; const w=()=>{for(;n<300000;){n++; if(!process.stdout.write('ab')) return process.stdout.once('drain',w)}}; w()";
    const { stdout } = await run([node, "-e", script]);
    expect(stdout.beginning.toString()).toBe("ab".repeat(300_000));
  });

  test.each(["yes", "cat /dev/zero", "yes >&2"])("without end (%s) is the end of it", async (script) => {
    const before = process.memoryUsage().rss;
    const ran = await sh(script);
    expect(ran.end).toEqual({ kind: "flood" });
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });
});

describe("a command ends with all that it has started", () => {
  test("when its time is over", async () => {
    const ran = await sh("sleep 300 & echo $! >>ids; echo $$ >>ids; echo half; sleep 300", {
      timeoutSeconds: 0.5,
    });
    expect(ran).toMatchObject({ end: { kind: "late" }, out: "half\n" });
    await expectGone(ran.folder);
  });

  test("also when it does not listen", async () => {
    const ran = await sh("trap '' TERM INT HUP; (trap '' TERM; echo $$ >>ids; sleep 300) & sleep 300", {
      timeoutSeconds: 0.5,
    });
    expect(ran.end).toEqual({ kind: "late" });
    expect(ran.took).toBeLessThan(5000);
    await expectGone(ran.folder);
  });

  test("also when it has been stopped", async () => {
    const ran = await sh("echo $$ >>ids; kill -STOP $$; echo never", { timeoutSeconds: 0.5 });
    expect(ran).toMatchObject({ end: { kind: "late" }, out: "" });
    await expectGone(ran.folder);
  });

  test.each([
    ["holds its outputs", "sleep 300 & echo $! >>ids; echo done"],
    ["holds nothing", "sleep 300 >/dev/null 2>&1 </dev/null & echo $! >>ids; echo done"],
    [
      "holds nothing and does not listen",
      "(trap '' TERM; exec >/dev/null 2>&1; sleep 300) & echo $! >>ids; echo done",
    ],
    ["is ended by nobody's hangup", "nohup sleep 300 >/dev/null 2>&1 & echo $! >>ids; echo done"],
  ])("when it has ended and what it leaves behind %s", async (_, script) => {
    const ran = await sh(script);
    expect(ran).toMatchObject({ end: { kind: "exit", code: 0 }, out: "done\n" });
    expect(ran.took).toBeLessThan(5000);
    await expectGone(ran.folder);
  });

  test("and what has left its group and holds its outputs does not hold up the result", async () => {
    const script =
      "const c=require('child_process').spawn('sleep',['300'],{detached:true,stdio:'inherit'}); c.unref(); require('fs').writeFileSync('ids', String(c.pid)); console.log('done')";
    const ran = await run([node, "-e", script]);
    expect(ran).toMatchObject({ end: { kind: "exit", code: 0 }, out: "done\n" });
    expect(ran.took).toBeLessThan(5000);
    expect(idsIn(ran.folder)).toHaveLength(1);
  });

  test("when it is stopped, which rejects with the reason", async () => {
    const folder = createHome();
    const stop = new AbortController();
    const reason = new Error("stopped by the person");
    const running = sh("sleep 300 & echo $! >>ids; echo $$ >>ids; : >ready; wait", { folder }, stop.signal);
    await untilThere(path.join(folder, "ready"));
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expectGone(folder);
  });

  test("and is not started when it was stopped before", async () => {
    const folder = createHome();
    const stop = AbortSignal.abort(new Error("before"));
    await expect(sh(": >ran", { folder }, stop)).rejects.toThrow("before");
    expect(existsSync(path.join(folder, "ran"))).toBe(false);
  });

  test("and leaves no work for the end of this process", async () => {
    let works = 0;
    const onExit = (): (() => void) => {
      works += 1;
      return () => void (works -= 1);
    };
    await run(["true"], {}, new AbortController().signal, { onExit });
    await run(["not-there"], {}, new AbortController().signal, { onExit });
    expect(works).toBe(0);
  });

  test("and one that nothing ends is not waited for", async () => {
    // As a program of another user, or one that waits for a disk that is gone.
    const folder = createHome();
    const ran = await run(
      ["sh", "-c", "echo $$ >ids; exec sleep 300"],
      { folder, timeoutSeconds: 0.3 },
      undefined,
      {
        endGroup: () => undefined,
      },
    );
    expect(ran.end).toEqual({ kind: "late" });
    expect(idsIn(folder).filter(isRunning)).toHaveLength(1);
  });
});

describe("a command that cannot be started says why", () => {
  const makeFolder = (): string => {
    const folder = createHome();
    const file = (name: string, text: string, mode = 0o755): void => {
      writeFileSync(path.join(folder, name), text);
      chmodSync(path.join(folder, name), mode);
    };
    file("plain.txt", "hello", 0o644);
    file("bad-interpreter", "#!/no/such/interpreter -x\n");
    file("windows-lines", "#!/bin/sh\r\necho hi\r\n");
    file("no-interpreter", "echo hi\n");
    mkdirSync(path.join(folder, "a-folder"));
    symlinkSync("nowhere", path.join(folder, "dangling"));
    symlinkSync("loop", path.join(folder, "loop"));
    return folder;
  };

  test.each([
    [["no-such-program"], "no-such-program is not found on PATH."],
    [["plain.txt"], `plain.txt is not found on PATH.`],
    [["no-interpreter"], `no-interpreter is not found on PATH (the one in FOLDER is ./no-interpreter).`],
    [["./no-such"], "./no-such does not exist."],
    [["./plain.txt/x"], "./plain.txt/x does not exist."],
    [["./plain.txt"], "./plain.txt is not executable (chmod +x makes it so)."],
    [["./a-folder"], "./a-folder is a folder."],
    [["/"], "/ is a folder."],
    [["./dangling"], "./dangling does not exist."],
    [["./loop"], "./loop is a link that leads to itself."],
    [
      ["./bad-interpreter"],
      "./bad-interpreter is there, and what it is to be run by is not: the program in its",
    ],
    [["./windows-lines"], "./windows-lines is there, and what it is to be run by is not"],
    [["~/x"], "~/x does not exist (no shell makes ~ a folder: write ${HOME})."],
    [["/dev/null"], "/dev/null is no file."],
    [[`./${"x".repeat(300)}`], `./${"x".repeat(300)} has too long a name.`],
    [["ls -l"], "'ls -l' is not found on PATH."],
    [["ls", "a\0b"], "ls has a zero byte in its arguments or its environment."],
    [["l\0s"], "has a zero byte in its name."],
    [["ls", "x".repeat(3_000_000)], "ls has more arguments and environment than the system takes."],
  ])("$0", async (command, why) => {
    const folder = makeFolder();
    const { end } = await run(command, { folder, input: "{}" });
    expect(end).toEqual({ kind: "not-started", why: expect.stringContaining(why.replace("FOLDER", folder)) });
  });

  test("also where its folder is gone, or there is no PATH", async () => {
    expect((await run(["ls"], { folder: "/no/such" })).end).toEqual({
      kind: "not-started",
      why: "The folder /no/such, in which ls was to run, is not there.",
    });
    expect((await run(["ls"], { env: { PATH: "" } })).end).toMatchObject({ kind: "not-started" });
    expect((await run(["ls"], { env: {} })).end).toEqual({ kind: "exit", code: 0 });
    expect((await run(["ls"], { env: { PATH, "A\0": "b" } })).end).toMatchObject({ kind: "not-started" });
  });

  test("also where it was made for another system's loader", async (context) => {
    const program = readFileSync("/bin/true", "latin1");
    const other = program.replace(/\/lib[^\0]*\/ld-[^\0]*(?=\0)/, (loader) => loader.replace(/.$/, "9"));
    if (other === program) return context.skip("/bin/true has no loader here");
    const folder = makeFolder();
    writeFileSync(path.join(folder, "foreign"), other, { encoding: "latin1", mode: 0o755 });
    expect((await run(["./foreign"], { folder })).end).toEqual({
      kind: "not-started",
      why: expect.stringContaining("./foreign is there, and what it is to be run by is not"),
    });
  });

  test("but a script without a first line of its own runs, as in a shell", async () => {
    expect(await run(["./no-interpreter"], { folder: makeFolder() })).toMatchObject({ out: "hi\n" });
  });
});

describe("the environment of a model's program", () => {
  const env = {
    HOME: "/h",
    AWS_ACCESS_KEY_ID: "AKIA",
    AWS_PROFILE: "p",
    AWS_BEARER_TOKEN_BEDROCK: "t",
    OPENCLAW_SERVE_API_KEY: "k",
    NOT_AWS_: "1",
    aws_lower: "2",
    UNSET: undefined,
  };

  test("is the caller's without what is AWS's and this program's", () => {
    expect(environmentFor(env, undefined, "linux")).toEqual({ HOME: "/h", NOT_AWS_: "1", aws_lower: "2" });
  });

  test("has what the settings name, of AWS, too", () => {
    const named = { AWS_REGION: "eu-west-1", HOME: "/other", PORT: 80, ON: true, EMPTY: "" };
    expect(environmentFor(env, named, "linux")).toEqual({
      NOT_AWS_: "1",
      aws_lower: "2",
      AWS_REGION: "eu-west-1",
      HOME: "/other",
      PORT: "80",
      ON: "true",
      EMPTY: "",
    });
  });

  test("has each name once on Windows, in whatever case", () => {
    expect(environmentFor({ ...env, Path: "c:\\" }, { PATH: "d:\\" }, "win32")).toEqual({
      HOME: "/h",
      NOT_AWS_: "1",
      PATH: "d:\\",
    });
  });
});
