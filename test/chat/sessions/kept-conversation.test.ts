import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openConversation } from "../../../src/chat/sessions/open-conversation.ts";
import { readSession } from "../../../src/chat/sessions/session-files.ts";
import type { KeptTurn } from "../../../src/chat/sessions/session-record.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

function turn(question: string): KeptTurn {
  return {
    at: "2026-11-22T10:01:00.000Z",
    key: "amazon-bedrock/m",
    model: "m",
    stopReason: "end_turn",
    messages: [
      { role: "user", content: [{ text: question }] },
      { role: "assistant", content: [{ text: "Yes." }] },
    ],
  };
}

const named = { session: "s", save: true };
const folderIn = (home: string): string => path.join(home, ".openclaw", "sessions");

describe("a kept conversation", () => {
  it("is on the disk after each turn, and leaves no lock behind", async () => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation({ save: true }, runtime, false);
    expect(readdirSync(runtime.homeFolder)).toEqual([]);
    for (const question of ["one", "two"]) {
      await conversation.keep(turn(question));
      expect((await readSession(runtime, conversation.id ?? ""))?.turns).toEqual(conversation.turns);
    }
    expect(conversation.id).toMatch(/^[a-z2-9]{6}$/);
    await conversation.close();
    expect(readdirSync(folderIn(runtime.homeFolder))).toEqual([`${conversation.id}.jsonl`]);
  });

  it.each([
    [
      "another process took its lock while this one was suspended",
      (file: string) => {
        unlinkSync(`${file}.lock`);
        symlinkSync(`${process.pid} 1 elsewhere other`, `${file}.lock`);
      },
    ],
    ["its file was removed", (file: string) => rmSync(file)],
  ])("goes on under a new id with everything said when %s", async (_, disturb) => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation(named, runtime, false);
    await conversation.keep(turn("one"));
    const file = path.join(folderIn(runtime.homeFolder), "s.jsonl");
    disturb(file);
    const left = readdirSync(folderIn(runtime.homeFolder)).includes("s.jsonl")
      ? readFileSync(file, "utf8")
      : undefined;
    await conversation.keep(turn("two"));
    expect(conversation.id).not.toBe("s");
    expect((await readSession(runtime, conversation.id ?? ""))?.turns).toEqual([turn("one"), turn("two")]);
    if (left !== undefined) expect(readFileSync(file, "utf8")).toBe(left);
    expect(runtime.stderr()).toContain(`goes on as session ${conversation.id}`);
    await conversation.keep(turn("three"));
    expect((await readSession(runtime, conversation.id ?? ""))?.turns).toHaveLength(3);
    await conversation.close();
  });

  it("writes what could not be written with the next turn that can", async () => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation({ save: true }, runtime, false);
    mkdirSync(path.join(runtime.homeFolder, ".openclaw"));
    // A folder that cannot be made, because a file has its name.
    writeFileSync(folderIn(runtime.homeFolder), "");
    await expect(conversation.keep(turn("one"))).rejects.toMatchObject({ code: "internal" });
    expect(conversation.turns).toEqual([turn("one")]);
    rmSync(folderIn(runtime.homeFolder));
    await conversation.keep(turn("two"));
    expect((await readSession(runtime, conversation.id ?? ""))?.turns).toEqual([turn("one"), turn("two")]);
    await conversation.close();
  });

  it("stays the same one where the disk was full for a while, and is kept under no id until then", async () => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation(named, runtime, false);
    const handle = await open(process.execPath);
    const full = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "writeFile");
    onTestFinished(() => full.mockRestore());
    await handle.close();
    full.mockRejectedValue(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
    for (const text of ["one", "two"]) {
      await expect(conversation.keep(turn(text))).rejects.toThrow("the disk is full");
      expect(conversation).toMatchObject({ id: "s", keptId: undefined });
    }
    full.mockRestore();
    await conversation.keep(turn("three"));
    expect(conversation).toMatchObject({ id: "s", keptId: "s" });
    expect((await readSession(runtime, "s"))?.turns).toEqual([turn("one"), turn("two"), turn("three")]);
    expect(runtime.stderr()).not.toContain("has changed");
    await conversation.close();
  });

  it("flushes a question while it is asked, and writes it again where the disk did not take it", async () => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation(named, runtime, false);
    const handle = await open(process.execPath);
    const flush = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "sync");
    onTestFinished(() => flush.mockRestore());
    await handle.close();
    const fault = Object.assign(new Error("EIO"), { code: "EIO" });
    flush.mockRejectedValueOnce(fault);
    await conversation.keep(turn("one"));
    await conversation.keep(turn("two"));
    expect((await readSession(runtime, "s"))?.turns).toEqual([turn("one"), turn("two")]);
    flush.mockRejectedValueOnce(fault);
    await conversation.keep(turn("three"));
    // An answer is not kept before it is flushed.
    flush.mockRejectedValueOnce(fault);
    await expect(conversation.keep(turn("three"), "answer")).rejects.toMatchObject({ code: "internal" });
    flush.mockRejectedValueOnce(fault);
    await conversation.keep(turn("four"));
    await expect(conversation.close()).rejects.toMatchObject({ code: "internal" });
    expect((await readSession(runtime, "s"))?.turns).toHaveLength(4);
  });

  it("puts a new answer in place of the last", async () => {
    const runtime = testRuntime({ home: createHome() });
    const conversation = await openConversation(named, runtime, false);
    await conversation.keep(turn("one"));
    await conversation.keep(turn("two"));
    await conversation.keep(turn("two, better"), "retry");
    await conversation.close();
    expect((await readSession(runtime, "s"))?.turns).toEqual([turn("one"), turn("two, better")]);
  });

  it("is refused while another has it open, and waited for by who is patient", async () => {
    const runtime = testRuntime({ home: createHome() });
    const first = await openConversation(named, runtime, false);
    await expect(openConversation(named, runtime, false)).rejects.toMatchObject({
      code: "usage",
      message: `Session s is open in another openclaw, process ${process.pid}.`,
    });
    const second = openConversation(named, runtime, true);
    await first.keep(turn("one"));
    await first.close();
    expect((await second).turns).toEqual([turn("one")]);
    await (await second).close();
  });

  it("can be read without being locked or written", async () => {
    const runtime = testRuntime({ home: createHome() });
    const first = await openConversation(named, runtime, false);
    await first.keep(turn("one"));
    const reader = await openConversation({ ...named, save: false }, runtime, false);
    await reader.keep(turn("two"));
    expect(reader.turns).toHaveLength(2);
    expect((await readSession(runtime, "s"))?.turns).toHaveLength(1);
    await first.close();
  });
});
