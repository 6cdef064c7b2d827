import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { createSecureContext, TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { generate } from "selfsigned";
import { expect, onTestFinished } from "vitest";
import type { Script } from "../../src/emulator/script.ts";
import { createAwsNetwork } from "../helpers/aws-network.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { type IdentityServer, startIdentityServer } from "../helpers/identity-server.ts";
import { pathWithOpenclaw, type Result } from "../helpers/openclaw.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

/** A model that everybody may call, and the region that has it. */
export const MODEL = "us.amazon.nova-lite-v1:0";
const REGION = "us-east-1";

/** The keys that the identity server gives, which Bedrock takes. */
const GIVEN_KEYS = Object.fromEntries(
  ["ASIASTSROLE000000001", "ASIASTSWEBID00000001", "ASIASSO0000000000001", "ASIACONTAINER0000001"].map(
    (id) => [id, { secretAccessKey: "secret", sessionToken: "token" }],
  ),
);

/** What a program of the machine other than this one does when somebody runs it with arguments that match. */
type Deed = readonly [
  command: RegExp,
  effect: (machine: Machine, ...groups: string[]) => void | Promise<void>,
];

/** The programs whose commands hints name, as far as any hint does. */
const DEEDS: readonly Deed[] = [
  [/^aws sso login --profile (\S+)$/, (machine) => machine.signIn()],
  [/^aws configure(?: --profile (\S+))?$/, (machine, profile = "default") => machine.enterKeys(profile)],
  [/^sudo timedatectl set-ntp true$/, (machine) => void (machine.clockMs = 0)],
  [
    /^aws ec2 modify-instance-metadata-options --instance-id \S+ --http-put-response-hop-limit 2$/,
    (machine) => void (machine.metadata = "reachable"),
  ],
  [
    /^aws ec2 modify-instance-metadata-options --instance-id \S+ --http-endpoint enabled$/,
    (machine) => void (machine.metadata = "reachable"),
  ],
  [
    /^aws ec2 associate-iam-instance-profile --instance-id \S+ --iam-instance-profile Name=\S+$/,
    (machine) => void (machine.metadata = "reachable"),
  ],
];

/** What instance metadata answers: AWS's own ways of being of no use. */
type Metadata = "reachable" | "one hop too far" | "without a role" | "turned off";

/**
 * A machine with Bedrock at the end of its network, everything on loopback: a home folder, what its shell exports, and
 * the world around it, which is what a test breaks and what a hint, when somebody follows it, mends.
 */
export class Machine {
  readonly emulated: Emulated;
  readonly identity: IdentityServer;
  /** What the shell exports beyond HOME and PATH. */
  env: Record<string, string | undefined>;
  /** The arguments that every command gets from now on. */
  flags: string[] = [];
  /** How far the world's clock is ahead of this machine's, in ms. */
  clockMs = 0;
  metadata: Metadata = "reachable";
  /** The actions that no policy allows. */
  readonly denied = new Set<string>();
  /** What is answered in place of AWS. */
  script: Script = () => undefined;
  readonly #programs: string;

  private constructor(emulated: Emulated, identity: IdentityServer) {
    this.emulated = emulated;
    this.identity = identity;
    this.#programs = path.join(emulated.home, "programs");
    mkdirSync(this.#programs);
    for (const name of ["aws", "sudo"]) {
      const program = `#!/bin/sh\n{ printf '${name}'; printf ' %s' "$@"; echo; } >> "$0.log"\n`;
      writeFileSync(path.join(this.#programs, name), program, { mode: 0o755 });
    }
    this.env = { ...emulated.env, AWS_REGION: REGION };
    this.configure({});
  }

  /** A machine on which everything works. */
  static async create(): Promise<Machine> {
    const started: { machine?: Machine } = {};
    const emulated = await emulate({
      accessKeys: GIVEN_KEYS,
      script: (call) => started.machine?.answer(call),
      now: () => Date.now() + (started.machine?.clockMs ?? 0),
    });
    started.machine = new Machine(emulated, await startIdentityServer());
    return started.machine;
  }

  get home(): string {
    return this.emulated.home;
  }

  /** What the world says to a call before the emulator does. */
  answer(call: Parameters<Script>[0]): ReturnType<Script> {
    return this.script(call) ?? this.#answerAboutInstance(call.route) ?? this.#deny(call);
  }

  #answerAboutInstance(route: string): ReturnType<Script> {
    if (!route.startsWith("Imds") || this.metadata === "reachable") return undefined;
    if (this.metadata === "turned off") return { http: { status: 403 } };
    if (this.metadata === "without a role")
      return route === "ImdsRoleName" ? { http: { status: 404 } } : undefined;
    // The answer to PUT has one hop to live; a GET without its token is refused at once.
    return route === "ImdsToken" ? { drop: "stall" } : { http: { status: 401 } };
  }

  #deny({ permissions, accessKeyId = "" }: Parameters<Script>[0]): ReturnType<Script> {
    const lacking = permissions.find(({ action }) => this.denied.has(action));
    if (!lacking) return undefined;
    const who = accessKeyId.startsWith("ASIA")
      ? "arn:aws:sts::123456789012:assumed-role/Work/session"
      : "arn:aws:iam::123456789012:user/me";
    const { action, resource } = lacking;
    const message = `User: ${who} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
    return { error: { name: "AccessDeniedException", message } };
  }

  /** Writes the configuration: an object, or the text of the file. A default model is in it unless it has one. */
  configure(config: object | string): void {
    const usual = { agents: { defaults: { model: MODEL } } };
    this.emulated.configure(
      typeof config === "string" ? config : JSON.stringify({ ...usual, ...config }, null, 2),
    );
  }

  get configFile(): string {
    return path.join(this.home, ".openclaw", "openclaw.json");
  }

  /** Writes ~/.aws, and takes the keys out of the environment. */
  useSharedFiles(files: { config?: string; credentials?: string }): void {
    writeSharedFiles(this.home, files);
    this.env = { ...this.env, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  }

  /** A section with keys that work. */
  keysOf(profile: string): string {
    const { accessKeyId, secretAccessKey } = this.emulated.emulator;
    return `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  }

  /** Changes a file of the home folder as somebody with an editor would; fails where there is nothing to change. */
  edit(file: string, from: string | RegExp, to: string): void {
    const place = path.resolve(this.home, file);
    const before = readFileSync(place, "utf8");
    const after = before.replace(from, to);
    expect(after, `${file} has ${String(from)}`).not.toBe(before);
    writeFileSync(place, after);
  }

  /** What `aws sso login` comes to. */
  async signIn(): Promise<void> {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await writeSsoToken(this.home, "corp", { accessToken: "sso-token", expiresAt });
  }

  /** What `aws configure` comes to when somebody types keys that work. */
  enterKeys(profile: string): void {
    this.useSharedFiles({ credentials: this.keysOf(profile) });
  }

  async run(args: readonly string[]): Promise<Result> {
    return this.emulated.run([...args, ...this.flags], { env: this.env });
  }

  /**
   * Types a command into the shell of this machine: what it exports and unsets stays, `openclaw` is the program under
   * test, and other programs do their deeds to the world.
   */
  async type(command: string): Promise<void> {
    const own = Object.entries(this.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const env = {
      ...Object.fromEntries(own),
      HOME: this.home,
      PATH: `${this.#programs}${path.delimiter}${this.#pathWithOpenclaw()}`,
    };
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-e", "-c", `${command}\nprintf '\\0'; exec env -0`],
      {
        env,
        cwd: this.home,
      },
    );
    const after = new Map(
      stdout
        .split("\0")
        .filter((line) => line.includes("="))
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const shells = new Set(["HOME", "PATH", "PWD", "OLDPWD", "SHLVL", "_"]);
    const names = new Set([...after.keys(), ...Object.keys(this.env)].filter((name) => !shells.has(name)));
    this.env = Object.fromEntries([...names].map((name) => [name, after.get(name)]));
    for (const deed of this.#takeDeeds()) await this.#do(deed);
  }

  #isOpenclawThere = false;

  #pathWithOpenclaw(): string {
    const folder = path.join(this.home, "bin");
    if (this.#isOpenclawThere) return `${folder}${path.delimiter}${process.env["PATH"]}`;
    this.#isOpenclawThere = true;
    return pathWithOpenclaw(this.home);
  }

  /** The commands of other programs that were run, oldest first. */
  #takeDeeds(): string[] {
    return ["aws", "sudo"].flatMap((name) => {
      const log = path.join(this.#programs, `${name}.log`);
      try {
        return readFileSync(log, "utf8").trim().split("\n");
      } catch {
        return [];
      } finally {
        writeFileSync(log, "");
      }
    });
  }

  async #do(command: string): Promise<void> {
    for (const [pattern, effect] of DEEDS) {
      const match = pattern.exec(command);
      if (match) return effect(this, ...match.slice(1));
    }
    throw new Error(`Nobody knows what this does: ${command}`);
  }

  /** Lets the service be behind TLS at an address of this machine, with a certificate of an authority of its own. */
  async hideBehindTls(validUntil: Date = new Date(Date.now() + 86_400_000)): Promise<{ bundle: string }> {
    const { private: key, cert } = await generate(
      [{ name: "commonName", value: "A company's own authority" }],
      {
        algorithm: "sha256",
        notBeforeDate: new Date(validUntil.getTime() - 2 * 86_400_000),
        notAfterDate: validUntil,
        extensions: [
          { name: "basicConstraints", cA: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
        ],
      },
    );
    const bundle = path.join(this.home, "company-ca.pem");
    writeFileSync(bundle, cert);
    const secureContext = createSecureContext({ key, cert });
    const { emulator } = this.emulated;
    const port = await listen(
      createTcpServer((socket) =>
        join(new TLSSocket(socket, { isServer: true, secureContext }), emulator.port),
      ),
    );
    this.env = { ...this.env, AWS_ENDPOINT_URL: `https://127.0.0.1:${port}` };
    return { bundle };
  }

  /**
   * Lets AWS be where it is for people: at its own names, over TLS, behind a proxy that knows no region without Bedrock.
   */
  async goThroughTheInternet(): Promise<void> {
    const network = await createAwsNetwork(this.emulated, {
      knows: (host) => !/us-est-1|ap-east-1|mantle\.us-west-1/.test(host),
    });
    this.env = { ...this.env, ...network.env };
  }

  /** A proxy of this machine for tunnels, and its address. `judge` says with which status it refuses one. */
  async startProxy(judge: (request: IncomingMessage) => number | undefined): Promise<string> {
    const proxy = createServer();
    proxy.on("connect", (request, socket: Socket) => {
      const status = judge(request);
      if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      join(socket, Number(new URL(`http://${request.url}`).port));
    });
    return `127.0.0.1:${await listen(proxy)}`;
  }
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function join(near: Socket, port: number): void {
  const far = connect(port, "127.0.0.1");
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.pipe(far).pipe(near);
}
