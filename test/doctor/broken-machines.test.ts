import { describe, expect, it } from "vitest";
import type { Result } from "../helpers/openclaw.ts";
import { type BrokenMachine, MACHINES } from "./broken-machines.ts";
import { Machine } from "./machine.ts";

/*
 * What `doctor` and `chat` say on machines on which something is wrong. The texts are in broken-machines/, a file a
 * machine, each with what is wrong, what was printed, and what was done because the hint says it; then the machine has
 * to work. After a change on purpose: npx vitest run test/doctor/broken-machines.test.ts -u, and look at the difference.
 */

const CHAT = ["chat", "Why is the sky blue?"];

/** What differs from run to run or from machine to machine. */
function settled(text: string, { home }: Machine): string {
  return text
    .replaceAll(home, "/home/me")
    .replaceAll(/\b127\.0\.0\.1:\d{4,5}/g, "127.0.0.1:PORT")
    .replaceAll(/\b\d+ ms\b/g, "N ms")
    .replaceAll(/\bNode \d\S* on \w+/g, "Node N")
    .replaceAll(/\b\d{8}T\d{6}Z/g, "TIME");
}

/** The version of Node and the age of the catalog are for another test to judge. */
function withoutRuntime(text: string): string {
  return text.replaceAll(/^\w+ +(?:runtime|catalog).*\n(?: +hint:.*\n)?/gm, "");
}

function show(args: readonly string[], { code, stdout, stderr }: Result): string {
  const shown = args.map((word) => (/[^\w.:/=-]/.test(word) ? `"${word}"` : word)).join(" ");
  const end = code === 0 ? "" : `exit ${code}\n`;
  // What is tried again at once is told in any order.
  const told = stderr.replaceAll(
    /(?:^openclaw: .*\n)+/gm,
    (lines) => `${lines.trim().split("\n").sort().join("\n")}\n`,
  );
  return `$ openclaw ${shown}\n${withoutRuntime(stdout)}${told}${end}`;
}

/** The hint of a run: of its error, else of its first warning. */
function hintOf({ stdout, stderr }: Result): string {
  const hints = [...withoutRuntime(`${stderr}${stdout}`).matchAll(/^ *hint: (.*)$/gm)];
  return hints[0]?.[1] ?? "";
}

/** Does what a hint says: types the command it ends in, or gives the flags it ends in from then on. */
async function follow(hint: string, { knows = {} }: BrokenMachine, machine: Machine): Promise<string> {
  const command = /(?:^|: )((?:[a-z][\w-]*(?: |$)).*?)(?: {2,}\(.*\))?$/.exec(hint)?.[1];
  const flags = /(?:^|: )(--.+)$/.exec(hint)?.[1];
  if (flags !== undefined) {
    machine.flags.push(...flags.split(" "));
    return flags;
  }
  expect(command, `There is nothing to do in the hint '${hint}'`).toBeDefined();
  const filled = Object.entries(knows).reduce(
    (text, [open, value]) => text.replaceAll(open, typeof value === "string" ? value : value(machine)),
    command ?? "",
  );
  expect(filled, "a place is left open").not.toMatch(/…/);
  await machine.type(filled);
  return command ?? "";
}

describe("a broken machine", () => {
  it("is none as it comes", async () => {
    const machine = await Machine.create();
    const doctor = await machine.run(["doctor"]);
    expect(withoutRuntime(doctor.stdout)).not.toMatch(/^(warn|fail|skip)/m);
    expect(doctor.code).toBe(0);
    expect(await machine.run(CHAT)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("simulated"),
      stderr: "",
    });
  });

  it.each(MACHINES)("$name: the hint leads out", async (row) => {
    const machine = await Machine.create();
    await row.breaks(machine);
    const command = row.command ?? CHAT;
    const examine = ["doctor", ...(row.asks ?? [])];
    const doctor = await machine.run(examine);
    const own = await machine.run(command);
    const screens = [`# ${row.story}`, "", show(examine, doctor), show(command, own)];
    await expect(settled(screens.join("\n"), machine)).toMatchFileSnapshot(`broken-machines/${row.name}.txt`);

    const { works } = row;
    expect(doctor.code === 0, doctor.stdout).toBe(works === "both" || works === "doctor");
    expect(own.code === 0, own.stderr).toBe(works === "both" || works === "command");
    // An error has two lines, and nothing is left to look up.
    const errors = doctor.stderr.match(/^error: .*(?:\nhint: .+)?$/gm) ?? [];
    expect(errors).toEqual(doctor.code === 0 ? [] : [expect.stringContaining("\nhint: ")]);

    const hint = hintOf(doctor);
    if (row.follows) await row.follows(machine, hint);
    else await follow(hint, row, machine);

    const after = await machine.run(examine);
    expect(after, `after: ${hint}`).toMatchObject({ code: 0, stdout: expect.not.stringMatching(/^fail/m) });
    expect(`${hintOf(after)}`, "what was done is asked for no more").not.toBe(hint);
    const ends = await machine.run(command);
    expect(ends, `after: ${hint}`).toMatchObject({ code: 0 });
    if (command === CHAT) expect(ends.stdout).toContain("simulated");
  });

  it.each(MACHINES.filter(({ name }) => name.startsWith("instance-")))(
    "$name: models list says what doctor says",
    async ({ breaks }) => {
      const machine = await Machine.create();
      await breaks(machine);
      machine.configure("{}");
      const { code, stderr } = await machine.run(["models", "list"]);
      expect(code).toBe(4);
      expect(stderr).toContain(`\nhint: ${hintOf(await machine.run(["doctor"]))}\n`);
    },
  );
});
