import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import JSON5 from "json5";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { binary, emptyEnvironment, nodeBinary, type Result } from "../helpers/openclaw.ts";

const MODEL = "amazon.nova-lite-v1:0";
const WITHOUT_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

/** Makes something that is no file a person meant. */
const KINDS: Readonly<Record<string, (file: string) => Promise<void> | void>> = {
  "a FIFO": (file) => void execFileSync("mkfifo", [file]),
  "a folder": (file) => void mkdirSync(file),
  "a socket": async (file) => {
    const server = createServer().listen(file);
    await once(server, "listening");
    onTestFinished(() => void server.close());
  },
};

interface Place {
  name: string;
  /** Below the home folder. */
  file: string;
  args: readonly string[];
  env?: (file: string) => Record<string, string | undefined>;
  /** Written before. */
  files?: Record<string, string>;
  /** Exit code, and what stderr says of each kind; undefined where it is as if nothing were there. */
  code: number;
  says?: RegExp;
  /** Kinds that are no matter here. */
  except?: string;
}

const CHAT = ["chat", "-m", MODEL, "hi"];

/** Every file that the program reads of itself: only a regular one makes sense there. */
const PLACES: readonly Place[] = [
  {
    name: "the configuration file",
    file: ".openclaw/openclaw.json",
    args: ["config", "get"],
    code: 3,
    says: /openclaw\.json: it is a/,
  },
  {
    name: "--config",
    file: "c.json5",
    args: ["--config", "c.json5", ...CHAT],
    code: 3,
    says: /c\.json5: it is a/,
  },
  {
    name: "a session",
    file: ".openclaw/sessions/s.jsonl",
    args: ["chat", "-m", MODEL, "--session", "s", "hi"],
    code: 1,
    says: /s\.jsonl: it is a/,
  },
  {
    name: "one of the sessions",
    file: ".openclaw/sessions/s.jsonl",
    args: ["sessions", "list"],
    code: 0,
    says: /s\.jsonl: it is a/,
  },
  {
    name: "the sessions, when the latest is looked for",
    file: ".openclaw/sessions/s.jsonl",
    args: ["chat", "-m", MODEL, "--continue", "hi"],
    code: 2,
    says: /--continue finds no session/,
  },
  {
    name: "the shared config file",
    file: ".aws/config",
    args: ["models", "list"],
    code: 0,
  },
  {
    name: "a lock",
    file: ".openclaw/openclaw.json.lock",
    args: ["config", "set", "models.bedrockDiscovery.enabled", "true"],
    code: 1,
    says: /it is a/,
  },
  {
    name: "AWS_CA_BUNDLE",
    file: "ca.pem",
    args: CHAT,
    env: (file) => ({ AWS_CA_BUNDLE: file }),
    code: 3,
    says: /ca\.pem', which cannot be read: it is a/,
  },
  {
    name: "AWS_WEB_IDENTITY_TOKEN_FILE",
    file: "token",
    args: CHAT,
    env: (file) => ({
      ...WITHOUT_KEYS,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/Web",
    }),
    code: 4,
    says: /token, which cannot be read/,
  },
  {
    name: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    file: "token",
    args: CHAT,
    env: (file) => ({
      ...WITHOUT_KEYS,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:9/",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
    }),
    code: 4,
    says: /token, which cannot be read/,
  },
];

describe("a file that the program reads of itself", () => {
  it.each(
    PLACES.flatMap((place) =>
      Object.entries(KINDS).map(([kind, make]) => [place.name, kind, place, make] as const),
    ),
  )("is expected to be a file: %s as %s", async (_, kind, place, make) => {
    const user = await emulate();
    const file = path.join(user.home, place.file);
    mkdirSync(path.dirname(file), { recursive: true });
    await make(file);
    const { code, stderr } = await user.run(place.args, { env: place.env?.(file) ?? {} });
    expect({ stderr, code }).toEqual({ stderr: expect.anything(), code: place.code });
    if (place.says) expect(stderr).toMatch(place.says);
    if (place.name === "--config") {
      const right = kind === "a folder" ? `${file}/openclaw.json` : "FILE";
      expect(stderr).toContain(`\nhint: Name a file: --config ${right}\n`);
    }
    expect(existsSync(file)).toBe(true);
    expect(stderr, kind).not.toContain("bug");
  });

  it("is asked for anew when what is kept of it is a FIFO", async () => {
    const user = await emulate();
    await user.run(["models", "list"]);
    const cache = path.join(user.home, ".openclaw", "cache");
    const [list = ""] = execFileSync("ls", [cache], { encoding: "utf8" }).split("\n");
    rmSync(path.join(cache, list));
    execFileSync("mkfifo", [path.join(cache, list)]);
    expect(await user.run(["models", "list"])).toMatchObject({ code: 0, stderr: "" });
    expect(user.routes().filter((route) => route === "ListFoundationModels")).toHaveLength(2);
  });

  it.each<[string, string, Record<string, string>, RegExp]>([
    ["/proc", "/proc", {}, /\/proc\/\.openclaw\/openclaw\.json: its folder is not there, and cannot be made/],
    [
      "a link that leads nowhere",
      "HOME",
      { OPENCLAW_STATE_DIR: "HOME/gone" },
      /gone is a file, or a link that leads nowhere\..*\nhint: ls -ld .*gone$/m,
    ],
  ])("no folder can be made where %s is: every command ends at once", async (_, home, env, says) => {
    const user = await emulate();
    symlinkSync(path.join(user.home, "nothing", "there"), path.join(user.home, "gone"));
    const place = Object.fromEntries(
      Object.entries({ HOME: home, ...env }).map(([name, value]) => [name, value.replace("HOME", user.home)]),
    );
    const set = await user.run(["config", "set", "models.bedrockDiscovery.enabled", "true"], { env: place });
    expect(set).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
    expect(await user.run([...CHAT, "--session", "s"], { env: place })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("The conversation is not kept."),
    });
    const doctor = await user.run(["doctor"], { env: place });
    if (home === "HOME")
      expect(doctor.stdout).toMatch(/^warn +config .*gone is a link that leads nowhere\)/m);
    else expect(doctor.stdout).toMatch(/^(ok|warn) +config/m);
  });
});

/** Runs a line of bash in which `openclaw` is the real program. */
async function bash(user: Emulated, line: string): Promise<Result> {
  const child = spawn("bash", ["-c", `openclaw() { "${nodeBinary}" "${binary}" "$@"; }\n${line}`], {
    cwd: user.home,
    env: emptyEnvironment(user.home, user.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...written };
}

/** What the model was sent last. */
function lastBody(user: Emulated): string {
  return JSON.stringify(user.emulator.calls.findLast(({ route }) => route === "ConverseStream")?.body);
}

describe("what a flag names", () => {
  it.each([
    ["-f", `-f <(echo "from a pipe") hi`, Buffer.from("from a pipe\n").toString("base64")],
    ["--system-file", `--system-file <(echo "from a pipe") hi`, "from a pipe"],
    ["--system-file, from stdin", `--system-file /dev/stdin hi < system.txt`, "from a file"],
    ["--system-file, by a dash", `--system-file - hi < system.txt`, "from a file"],
    ["-f, from stdin", `-f /dev/stdin hi < system.txt`, Buffer.from("from a file\n").toString("base64")],
  ])("may come from a shell: %s", async (_, words, sent) => {
    const user = await emulate();
    writeFileSync(path.join(user.home, "system.txt"), "from a file\n");
    const result = await bash(user, `openclaw chat -m ${MODEL} ${words}`);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(lastBody(user)).toContain(sent);
  });

  it("may come from a shell: --schema", async () => {
    const user = await emulate();
    const schema = `<(sleep 0.1; echo '{"type":"nonsense"}')`;
    const result = await bash(user, `openclaw chat -m ${MODEL} --schema ${schema} hi`);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("is not a valid JSON Schema");
  });

  it("may come from a shell: config patch --file and --stdin", async () => {
    const user = await emulate();
    const settings = "{agents: {defaults: {model: 'REPLACED'}}}";
    const line = (words: string, model: string): string =>
      `openclaw config patch ${words.replace("TEXT", settings.replace("REPLACED", model))}`;
    expect(await bash(user, line(`--file <(echo "TEXT")`, "one"))).toMatchObject({ code: 0 });
    const file = path.join(user.home, ".openclaw", "openclaw.json");
    expect(JSON5.parse(readFileSync(file, "utf8")).agents.defaults.model).toBe("one");
    expect(await bash(user, line(`--file /dev/stdin <<< "TEXT"`, "two"))).toMatchObject({ code: 0 });
    expect(JSON5.parse(readFileSync(file, "utf8")).agents.defaults.model).toBe("two");
  });

  it("may come from a shell: --api-key-file, of which nothing is said to others", async () => {
    const user = await emulate();
    const line = `exec "${nodeBinary}" "${binary}" serve --port 0 --json --api-key-file <(echo me:secret-key-1)`;
    const child = spawn("bash", ["-c", line], {
      cwd: user.home,
      env: emptyEnvironment(user.home, user.env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    const { url, requiresKey } = JSON.parse(chunk.toString());
    expect(requiresKey).toBe(true);
    const status = async (key: string): Promise<number> =>
      (await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status("secret-key-1")).toBe(200);
    expect(await status("secret-key-2")).toBe(401);
    expect(stderr).not.toContain("Others on this machine");
    child.kill("SIGTERM");
    await once(child, "close");
  });

  it("is read once, so two flags cannot both be stdin", async () => {
    const user = await emulate();
    const both = await user.run(["chat", "-m", MODEL, "-f", "-", "--system-file", "/dev/stdin", "hi"], {
      isAlone: true,
    });
    expect(both).toMatchObject({ code: 2 });
    expect(both.stderr).toContain("--file - and --system-file /dev/stdin both read stdin, and there is one.");
    const twice = await user.run(["chat", "-m", MODEL, "-f", "-", "-f", "-", "hi"]);
    expect(twice).toMatchObject({ code: 2 });
    expect(twice.stderr).toContain("--file - is given twice");
  });

  it.each([
    ["chat", ["chat", "-m", MODEL], 6],
    ["chat -f", ["chat", "-m", MODEL, "-f", "-", "hi"], 6],
    ["config patch", ["config", "patch", "--stdin"], 2],
  ])("has an end, also when stdin has none: %s", async (_, args, code) => {
    const user = await emulate();
    const child = spawn(nodeBinary, [binary, ...args], {
      env: emptyEnvironment(user.home, user.env),
      stdio: [0, "pipe", "pipe"].map((pipe, index) => (index === 0 ? "pipe" : pipe)) as [
        "pipe",
        "pipe",
        "pipe",
      ],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.resume();
    const endless = spawn("cat", ["/dev/zero"], { stdio: ["ignore", "pipe", "ignore"] });
    endless.stdout.pipe(child.stdin.on("error", () => undefined));
    expect(await once(child, "exit")).toEqual([code, null]);
    endless.kill("SIGKILL");
    expect(stderr).toMatch(/more than|more, and a request holds/);
  });
});

describe("a text that is read", () => {
  const GREETING = "Größe, bitte\n";

  it.each([
    ["--system-file in UTF-16", ["--system-file", "text.txt", "hi"], undefined],
    ["stdin in UTF-16", [], "stdin"],
    ["stdin in UTF-16 beside words", ["hi"], "stdin"],
  ])("reaches the model as it was written: %s", async (_, words, input) => {
    const user = await emulate();
    const bytes = Buffer.from(`\uFEFF${GREETING}`, "utf16le");
    writeFileSync(path.join(user.home, "text.txt"), bytes);
    const result = await user.run(["chat", "-m", MODEL, ...words], input ? { input: bytes } : {});
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(lastBody(user)).toContain("Größe, bitte");
    expect(lastBody(user)).not.toMatch(/\\u0000|\uFEFF/);
  });

  it.each<[string, string[], number]>([
    ["--system-file", ["chat", "-m", MODEL, "--system-file", "text.txt", "hi"], 2],
    ["--schema", ["chat", "-m", MODEL, "--schema", "text.txt", "hi"], 2],
    ["-f", ["chat", "-m", MODEL, "-f", "text.txt", "hi"], 6],
    ["--api-key-file", ["serve", "--port", "0", "--api-key-file", "text.txt"], 2],
    ["config patch --file", ["config", "patch", "--file", "text.txt"], 2],
    ["--config", ["--config", "text.txt", "config", "get"], 3],
  ])("is refused with its place when it is UTF-16 without a mark: %s", async (_, args, code) => {
    const user = await emulate();
    writeFileSync(path.join(user.home, "text.txt"), Buffer.from(GREETING, "utf16le"));
    const result = await user.run(args);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(/text\.txt'? is not UTF-8 text: it looks like UTF-16LE text without a/);
    expect(result.stderr).toContain("(byte 1 is 0x00)");
    expect(result.stderr).toContain("hint: iconv -f UTF-16LE -t UTF-8 ");
    expect(user.routes()).toEqual([]);
  });

  it("stays as it is when it is a configuration in UTF-16, which becomes readable by the hint", async () => {
    const user = await emulate();
    const bytes = Buffer.from("\uFEFF{ agents: { defaults: { model: 'größe' } } }\n", "utf16le");
    user.configure("");
    const file = path.join(user.home, ".openclaw", "openclaw.json");
    writeFileSync(file, bytes);
    const set = await user.run(["config", "set", "models.bedrockDiscovery.enabled", "true"]);
    expect(set.code).toBe(3);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    const hint = /hint: (.*)/.exec(set.stderr)?.[1] ?? "";
    execFileSync("sh", ["-c", hint]);
    expect(await user.run(["config", "get", "agents.defaults.model"])).toMatchObject({ stdout: "größe\n" });
  });
});

describe("a home folder", () => {
  const cannotBeOther = process.platform === "win32" || process.getuid?.() !== 0;

  /** Runs the program as a user without an entry in the list of users and without HOME, beside other settings. */
  function asNobody(
    user: Emulated,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Result> {
    const { HOME: _home, ...rest } = emptyEnvironment(user.home, user.env);
    const child = spawn(nodeBinary, [binary, ...args], {
      uid: 54_321,
      gid: 54_321,
      cwd: "/",
      env: { ...rest, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const written = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString()));
    return once(child, "close").then(([code, signal]) => ({ code, signal, ...written }));
  }

  it.for([
    [["--version"], 0],
    [["--help"], 0],
    [["chat", "--help"], 0],
    [["chat", "-m", MODEL, "hi"], 0],
    [["chat", "-m", MODEL, "--session", "s", "hi"], 0],
    [["models", "list"], 0],
    [["models", "status"], 0],
    [["config", "get"], 0],
    [["config", "validate"], 0],
    [["sessions", "list"], 0],
    [["doctor"], 0],
    [["config", "set", "models.bedrockDiscovery.enabled", "true"], 3],
  ] as const)("need not be there: %j", async ([args, code], { skip }) => {
    skip(cannotBeOther, "only root can become another user");
    const user = await emulate();
    const result = await asNobody(user, args);
    expect(result).toMatchObject({ code });
    expect(result.stderr).not.toMatch(/ {4}at |bug/);
    if (code !== 0) expect(result.stderr).toContain("hint: export HOME=");
  });

  it.for([
    ["is not there", () => "/nowhere/at/all"],
    [
      "is a file",
      (home: string) => {
        writeFileSync(path.join(home, "file"), "");
        chmodSync(home, 0o755);
        return path.join(home, "file");
      },
    ],
    [
      "cannot be written to",
      (home: string) => {
        mkdirSync(path.join(home, "closed"));
        chmodSync(path.join(home, "closed"), 0o555);
        chmodSync(home, 0o755);
        return path.join(home, "closed");
      },
    ],
  ] as const)("that %s keeps no answer back", async ([, make], { skip }) => {
    skip(cannotBeOther, "only root can become another user");
    const user = await emulate();
    const env = { HOME: make(user.home) };
    const answer = await asNobody(user, ["chat", "-m", MODEL, "hi"], env);
    expect(answer).toMatchObject({ code: 0, stderr: "" });
    const kept = await asNobody(user, ["chat", "-m", MODEL, "--session", "s", "hi"], env);
    expect(kept).toMatchObject({ code: 0, stdout: answer.stdout });
    expect(kept.stderr).toMatch(/^warning: The conversation is not kept\. Cannot write /);
    expect(await asNobody(user, ["models", "list"], env)).toMatchObject({ code: 0, stderr: "" });
    const named = { ...env, OPENCLAW_STATE_DIR: env.HOME };
    const isFile = statSync(env.HOME, { throwIfNoEntry: false })?.isFile() === true;
    const said = `openclaw: nothing is kept: ${env.HOME} is no folder. Name one: export OPENCLAW_STATE_DIR=FOLDER\n`;
    const { stderr } = await asNobody(user, ["models", "list"], named);
    expect(stderr).toBe(isFile ? said : "");
  });
});

describe("a folder to stand in", () => {
  it.each([["--version"], ["config get"], [`chat -m ${MODEL} hi`]])(
    "may have been removed: %s",
    async (words) => {
      const user = await emulate();
      const result = await bash(user, `mkdir gone && cd gone && rmdir ../gone && openclaw ${words}`);
      expect(result).toMatchObject({ code: 0, stderr: "" });
    },
  );

  it.each([
    ["a tool that lists files", "tools run list-files", 2],
    ["a tool that reads one", `tools run read-file '{"path":"etc/passwd"}'`, 2],
    ["a command line", `tools run shell '{"command":"ls"}'`, 5],
    ["an attachment", `chat -m ${MODEL} -f etc/passwd hi`, 6],
    ["a system prompt", `chat -m ${MODEL} --system-file etc/passwd hi`, 2],
    ["an answer", `chat -m ${MODEL} -o dev/null hi`, 2],
  ])("that was removed and has no name is no other, for %s", async (_, words, code) => {
    const user = await emulate();
    const stand = "mkdir gone && cd gone && rmdir ../gone && unset PWD OLDPWD";
    const result = await bash(user, `${stand} && openclaw ${words}`);
    expect(result).toMatchObject({ code });
    expect(result.stdout + result.stderr).toMatch(/removed-folder|a part of the path is not a folder/);
    expect(result.stdout).not.toContain("usr");
  });

  it("for temporary files need not be there", async () => {
    const user = await emulate();
    const env = { TMPDIR: "/nowhere" };
    expect(await user.run(CHAT, { env, isAlone: true })).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a stream of the program", () => {
  const WHOLE = "This is a simulated answer";

  it.each([
    ["closed stdin", `openclaw chat -m ${MODEL} hi <&-`, 0, WHOLE, ""],
    ["closed stdin and no prompt", `openclaw chat -m ${MODEL} <&-`, 2, "", "stdin is empty"],
    ["closed stderr", `openclaw chat -m ${MODEL} hi 2>&-`, 0, WHOLE, ""],
    ["closed stdout", `openclaw chat -m ${MODEL} hi >&-`, 0, "", ""],
    ["all closed", `openclaw chat -m ${MODEL} hi <&- >&- 2>&-`, 0, "", ""],
    ["full stdout", `openclaw chat -m ${MODEL} hi > /dev/full`, 1, "", "The answer cannot be written"],
    ["full stdout of --json", `openclaw models list --json > /dev/full`, 1, "", "cannot be written"],
    ["full stdout of --help", `openclaw --help > /dev/full`, 1, "", "cannot be written"],
    ["full stdout, on which nothing is written", `openclaw nosuch > /dev/full`, 2, "", "Unknown command"],
    ["full stderr", `openclaw chat -m ${MODEL} --verbose hi 2> /dev/full`, 0, WHOLE, ""],
    ["a folder for stdin", `openclaw chat -m ${MODEL} < /`, 2, "", "stdin is a folder"],
    ["a folder for stdin beside a prompt", `openclaw chat -m ${MODEL} hi < /`, 2, "", "stdin is a folder"],
    ["a folder for a file from stdin", `openclaw chat -m ${MODEL} -f - hi < /`, 6, "", "'stdin' is a folder"],
    [
      "a folder for a system prompt",
      `openclaw chat -m ${MODEL} --system-file - hi < /`,
      2,
      "",
      "it is a folder",
    ],
    ["a folder for lines", `openclaw batch run - -m ${MODEL} < /`, 2, "", "it is a folder"],
    ["a folder for a patch", `openclaw config patch --stdin < /`, 2, "", "it is a folder"],
  ])("may be of any kind: %s", async (_, line, code, stdout, stderr) => {
    const result = await bash(await emulate(), line);
    expect(result.code).toBe(code);
    expect(result.stdout).toContain(stdout);
    expect(result.stderr).toContain(stderr);
    expect(result.stderr).not.toMatch(/ {4}at |bug/);
  });

  it("may take nothing more for a while, and the answer is whole", async () => {
    // Both ends of a pipe that another program made non-blocking.
    const program =
      "import fcntl,os,subprocess,sys,time\n" +
      "r,w=os.pipe()\n" +
      "fcntl.fcntl(w,fcntl.F_SETFL,os.O_NONBLOCK)\n" +
      "p=subprocess.Popen(sys.argv[1:],stdout=w,stdin=subprocess.DEVNULL)\n" +
      "os.close(w); time.sleep(0.3); n=0\n" +
      "while True:\n b=os.read(r,1000)\n n+=len(b)\n if not b: break\n" +
      "print(n, p.wait())\n";
    const user = await emulate();
    const whole = await user.run(["config", "schema"]);
    const args = ["-c", program, nodeBinary, binary, "config", "schema"];
    const printed = execFileSync("python3", args, {
      env: emptyEnvironment(user.home, user.env),
      encoding: "utf8",
    });
    expect(printed).toBe(`${Buffer.byteLength(whole.stdout)} 0\n`);
  });
});
