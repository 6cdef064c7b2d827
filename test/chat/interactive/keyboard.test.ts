import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Keyboard } from "../../../src/chat/interactive/keyboard.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

const CTRL_C = "\u0003";
const ESC = "\u001B";
/** More than the pause after which a key answers again, in ms. */
const PAUSE = 500;

/** A keyboard on which a question may be answered by y, n and Esc. */
function sitDown() {
  const stdin = new PassThrough();
  const runtime = testRuntime({ home: "/", stdin });
  const screen = {
    columns: 80,
    rows: 24,
    write: () => undefined,
    onResize: () => () => undefined,
    copy: () => undefined,
  };
  const keyboard = new Keyboard(runtime, screen);
  keyboard.start();
  onTestFinished(() => keyboard.stop());
  const stop = new AbortController();
  const ask = async () => {
    const key = await keyboard.answer(({ name = "" }) => ["y", "n", "escape"].includes(name), stop.signal);
    return key?.ctrl ? `^${key.name}` : key?.name;
  };
  const rest = async () => {
    let text = "";
    while (!keyboard.isIdle) text += (await keyboard.next())?.text;
    return text;
  };
  return { stdin, ask, rest, stop };
}

describe("a question that one key answers", () => {
  it.each([
    ["y", "y"],
    ["n", "n"],
    [ESC, "escape"],
    [CTRL_C, "^c"],
    // Who is used to it presses Enter as well.
    ["y\r", "y"],
  ])("is answered by %j", async (typed, answer) => {
    const { stdin, ask, rest } = sitDown();
    const answered = ask();
    stdin.write(typed);
    expect(await answered).toBe(answer);
    expect(await rest()).toBe("");
  });

  it("is not answered by what was typed before it, which waits for whoever reads next", async () => {
    const { stdin, ask, rest } = sitDown();
    stdin.write("y");
    await setTimeout(PAUSE);
    const answered = ask();
    stdin.write("n");
    expect(await answered).toBe("n");
    expect(await rest()).toBe("y");
  });

  it("is not answered by who types on, until they pause; Esc and Ctrl-C answer at once", async () => {
    const { stdin, ask, rest } = sitDown();
    stdin.write("ma");
    const answered = ask();
    for (const character of "yby") {
      await setTimeout(100);
      stdin.write(character);
    }
    await setTimeout(PAUSE);
    stdin.write("n");
    expect(await answered).toBe("n");
    expect(await rest()).toBe("mayby");
    stdin.write("x");
    const second = ask();
    stdin.write(ESC);
    expect(await second).toBe("escape");
  });

  it.each([
    ["a paste", `${ESC}[200~y${ESC}[201~`, "y"],
    ["a text that comes at once", "yes, all of it", "yes, all of it"],
    ["a text in two pieces", ["y", "es"], "yes"],
  ])("is not answered by %s", async (_, typed, kept) => {
    const { stdin, ask, rest } = sitDown();
    const answered = ask();
    for (const piece of [typed].flat()) {
      stdin.write(piece);
      await setTimeout(5);
    }
    await setTimeout(PAUSE);
    stdin.write("n");
    expect(await answered).toBe("n");
    expect(await rest()).toBe(kept);
  });

  it.each([
    ["Enter", "\r"],
    ["an arrow", `${ESC}[A`],
  ])("is not answered by %s, which nothing else gets either", async (_, key) => {
    const { stdin, ask, rest } = sitDown();
    const answered = ask();
    stdin.write(key);
    await setTimeout(100);
    stdin.write("y");
    expect(await answered).toBe("y");
    expect(await rest()).toBe("");
  });

  it("is not answered by another letter, which is a slip where nothing follows, and else a text", async () => {
    const slip = sitDown();
    const answered = slip.ask();
    slip.stdin.write("a");
    await setTimeout(PAUSE);
    slip.stdin.write("y");
    expect(await answered).toBe("y");
    expect(await slip.rest()).toBe("");
    const text = sitDown();
    const later = text.ask();
    for (const character of "any") {
      text.stdin.write(character);
      await setTimeout(100);
    }
    await setTimeout(PAUSE);
    text.stdin.write("n");
    expect(await later).toBe("n");
    expect(await text.rest()).toBe("any");
  });

  it("has no answer where the terminal goes, and ends with the signal", async () => {
    const gone = sitDown();
    const answered = gone.ask();
    gone.stdin.end();
    expect(await answered).toBeUndefined();
    const stopped = sitDown();
    const never = stopped.ask();
    stopped.stop.abort(new Error("stopped"));
    await expect(never).rejects.toThrow("stopped");
  });
});
