import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate, type Emulated } from "../../helpers/emulated.ts";
import { openPty } from "../../helpers/pty.ts";
import { MODEL, type Served, serveEmulated } from "../../helpers/served.ts";

const OLD = "team-a:key-of-team-a-0123456789\n";
const NEW = "team-b:key-of-team-b-0123456789\n";
const [OLD_KEY, NEW_KEY] = ["key-of-team-a-0123456789", "key-of-team-b-0123456789"];

async function statusWith({ origin }: Served, key: string): Promise<number> {
  const response = await fetch(`${origin}/v1/models`, { headers: { "x-api-key": key } });
  await response.body?.cancel();
  return response.status;
}

const isReadAgain = ({ message }: { message?: string }): boolean =>
  message?.includes("were read again") === true;
const isKept = ({ message }: { message?: string }): boolean =>
  message?.includes("keys stay as they are") === true;

async function serveFile(emulated: Emulated, file: string): Promise<Served> {
  return serveEmulated(emulated, { args: ["--api-key-file", file] });
}

/** Ways in which a file comes to hold something else: the name of the file, and how it changes. */
const CHANGES: Readonly<
  Record<string, (folder: string) => { file: string; change: (text: string) => void }>
> = {
  "written in its place": (folder) => {
    const file = path.join(folder, "keys");
    writeFileSync(file, OLD, { mode: 0o600 });
    return { file, change: (text) => writeFileSync(file, text) };
  },
  replaced: (folder) => {
    const file = path.join(folder, "keys");
    writeFileSync(file, OLD, { mode: 0o600 });
    return {
      file,
      change: (text) => {
        writeFileSync(`${file}.new`, text, { mode: 0o600 });
        renameSync(`${file}.new`, file);
      },
    };
  },
  "behind a link that is set anew": (folder) => {
    const file = path.join(folder, "keys");
    writeFileSync(path.join(folder, "one"), OLD, { mode: 0o600 });
    symlinkSync("one", file);
    return {
      file,
      change: (text) => {
        writeFileSync(path.join(folder, "two"), text, { mode: 0o600 });
        symlinkSync("two", `${file}.new`);
        renameSync(`${file}.new`, file);
      },
    };
  },
  "in a folder behind a link, as Kubernetes mounts a secret": (folder) => {
    const write = (name: string, text: string): void => {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, "keys"), text, { mode: 0o600 });
    };
    write("..1", OLD);
    symlinkSync("..1", path.join(folder, "..data"));
    symlinkSync(path.join("..data", "keys"), path.join(folder, "keys"));
    return {
      file: path.join(folder, "keys"),
      change: (text) => {
        write("..2", text);
        symlinkSync("..2", path.join(folder, "..new"));
        renameSync(path.join(folder, "..new"), path.join(folder, "..data"));
      },
    };
  },
};

describe("keys while the server runs", () => {
  for (const [way, make] of Object.entries(CHANGES)) {
    it(`are those of a file that is ${way}, without a word`, async () => {
      const emulated = await emulate();
      const folder = path.join(emulated.home, "secret");
      mkdirSync(folder);
      const { file, change } = make(folder);
      const served = await serveFile(emulated, file);
      expect([await statusWith(served, OLD_KEY), await statusWith(served, NEW_KEY)]).toEqual([200, 401]);
      change(NEW);
      await served.logged(isReadAgain);
      expect([await statusWith(served, OLD_KEY), await statusWith(served, NEW_KEY)]).toEqual([401, 200]);
    });
  }

  it("are read again at SIGHUP, and no request is lost meanwhile", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, OLD, { mode: 0o600 });
    const served = await serveFile(emulated, file);
    const reading = { isOver: false };
    const asking = Array.from({ length: 4 }, async () => {
      const statuses = new Set<number>();
      while (!reading.isOver) statuses.add(await statusWith(served, OLD_KEY));
      return [...statuses];
    });
    writeFileSync(file, OLD + NEW);
    for (let times = 0; times < 20; times += 1) served.child.kill("SIGHUP");
    await served.logged(isReadAgain);
    reading.isOver = true;
    expect(await Promise.all(asking)).toEqual([[200], [200], [200], [200]]);
    expect(await statusWith(served, NEW_KEY)).toBe(200);
    expect(await served.end()).toBe(143);
  });

  it("stay as they are for a file that cannot be used, and the log says why", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, OLD, { mode: 0o600 });
    const served = await serveFile(emulated, file);
    for (const [text, why] of [
      ["", "is empty"],
      ["team-a:short\n", "cannot be used"],
      [`${OLD}team-c:key-of-team-a-0123456789\n`, "names of one API key"],
      ['{"name":"team-a"', "is not JSON"],
      ["\xff\xfe\xfd", "is not UTF-8"],
    ] as const) {
      writeFileSync(file, text, "latin1");
      served.child.kill("SIGHUP");
      const { message } = await served.logged((line) => isKept(line) && line.message?.includes(why) === true);
      expect(message).not.toContain("0123456789");
      expect(await statusWith(served, OLD_KEY)).toBe(200);
    }
    renameSync(file, `${file}.gone`);
    served.child.kill("SIGHUP");
    await served.logged((line) => isKept(line) && line.message?.includes("does not exist") === true);
    expect(await statusWith(served, OLD_KEY)).toBe(200);
    writeFileSync(file, NEW, { mode: 0o600 });
    await served.logged(isReadAgain);
    expect([await statusWith(served, OLD_KEY), await statusWith(served, NEW_KEY)]).toEqual([401, 200]);
  });

  it("are no reason to outlive the terminal, or a signal that ends the server", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, OLD, { mode: 0o600 });
    const pty = openPty(["serve", "--port", "0", "--api-key-file", file], emulated.home, {
      env: emulated.env,
    });
    await pty.see("# For clients of");
    pty.hangUp();
    expect(await pty.exit).toBe(129);
    const without = await serveEmulated(emulated);
    expect(await without.end("SIGHUP")).toBe(129);
  });
});

describe("the header of a key", () => {
  it("is Authorization or x-api-key, and not both with two", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, OLD + NEW, { mode: 0o600 });
    const { origin } = await serveFile(emulated, file);
    const ask = async (headers: Record<string, string>): Promise<[number, string]> => {
      const response = await fetch(`${origin}/v1/models`, { headers });
      const body = (await response.json()) as { error?: { message: string } };
      return [response.status, body.error?.message ?? ""];
    };
    const [bearer, other] = [`Bearer ${OLD_KEY}`, `Bearer ${NEW_KEY}`];
    for (const [headers, status, words] of [
      [{ authorization: bearer }, 200, ""],
      [{ "x-api-key": OLD_KEY }, 200, ""],
      [{ authorization: bearer, "x-api-key": OLD_KEY }, 200, ""],
      [{ authorization: bearer, "x-api-key": "" }, 200, ""],
      [{ authorization: "Basic YTpi", "x-api-key": OLD_KEY }, 200, ""],
      [{ authorization: other, "x-api-key": OLD_KEY }, 401, "two different API keys"],
      [{ authorization: "Bearer none", "x-api-key": OLD_KEY }, 401, "two different API keys"],
      [{ "x-api-key": "none" }, 401, "not one of this server's"],
      [{ "x-api-key": `${OLD_KEY}, ${OLD_KEY}` }, 401, "not one of this server's"],
      [{ authorization: OLD_KEY }, 401, "not one of this server's"],
      [{}, 401, "An API key is needed"],
    ] as const) {
      const [answered, message] = await ask(headers as Record<string, string>);
      expect({ headers, answered, message }).toEqual({
        headers,
        answered: status,
        message: words === "" ? "" : expect.stringContaining(words),
      });
    }
  });

  const ROUTES: readonly (readonly [path: string, status: number, refusal: object])[] = [
    ["/v1/chat/completions", 401, { error: { code: "invalid_api_key" } }],
    ["/v1/responses", 401, { error: { code: "invalid_api_key" } }],
    ["/v1/embeddings", 401, { error: { code: "invalid_api_key" } }],
    ["/v1/messages", 401, { type: "error", error: { type: "authentication_error" } }],
    [`/model/${MODEL}/converse`, 403, { message: expect.stringContaining("two different API keys") }],
  ];
  it.each(ROUTES)(
    "is one in each dialect, and none where there are no keys: %s",
    async (route, status, refusal) => {
      const emulated = await emulate();
      const file = path.join(emulated.home, "keys");
      writeFileSync(file, OLD + NEW, { mode: 0o600 });
      const ask = async ({ origin }: Served): Promise<Response> =>
        fetch(origin + route, {
          method: "POST",
          headers: {
            authorization: `Bearer ${OLD_KEY}`,
            "x-api-key": NEW_KEY,
            "content-type": "application/json",
          },
          body: "{}",
        });
      const refused = await ask(await serveFile(emulated, file));
      expect(refused.status).toBe(status);
      expect(await refused.json()).toMatchObject(refusal);
      // Nobody looks at either there: it gets as far as its body.
      expect((await ask(await serveEmulated(emulated))).status).toBe(400);
    },
  );
});
