import { describe, expect, test } from "vitest";
import { type LeaveAnswer, type LeaveRequest, Permits } from "../../../src/chat/tools/permits.ts";
import { textResult, type Tool, type ToolCall } from "../../../src/chat/tools/tool.ts";

const disk: Tool = {
  name: "disk-usage",
  source: { kind: "command", command: ["df", "-h"] },
  description: "Shows how full the disks are.",
  inputSchema: { type: "object" },
  run: async () => textResult("90 %"),
};
const shell: Tool = {
  ...disk,
  name: "shell",
  source: { kind: "built-in" },
  demandOf: () => ({ name: "shell", isExact: true, isAsked: true }),
};

const running = new AbortController().signal;

function callOf({ name }: Tool): ToolCall {
  return { toolUseId: "t1", name, input: { command: "ls" } };
}

/** Permits with a person who gives these answers in turn, or nobody; what was asked, and what was told. */
function permitsWith(answers?: LeaveAnswer[], allowed: string[] = []) {
  const asked: LeaveRequest[] = [];
  const told: (readonly [string, string | undefined])[] = [];
  const permits = new Permits({
    allowed,
    terminal: { warn: async (message, hint) => void told.push([message, hint]) },
    ask: answers && (async (request) => (asked.push(request), answers.shift() ?? "no")),
  });
  const permit = (tool: Tool) => permits.permit(tool, callOf(tool), running);
  return { permits, permit, asked, told };
}

const REFUSED = { isError: true, content: [{ text: expect.stringContaining("The call was not run") }] };

describe("permits", () => {
  test("asks again after once, and not after always", async () => {
    const { permit, asked, permits } = permitsWith(["once", "always"]);
    for (let count = 0; count < 4; count += 1) expect(await permit(disk)).toBeUndefined();
    expect(asked).toMatchObject([{ offersAlways: true, hasChanged: false }, { offersAlways: true }]);
    expect(permits.always).toEqual(["disk-usage"]);
  });

  test("asks about the shell each time, whatever is answered", async () => {
    const { permit, asked } = permitsWith(["always", "always", "no"]);
    expect([await permit(shell), await permit(shell)]).toEqual([undefined, undefined]);
    expect(await permit(shell)).toMatchObject(REFUSED);
    expect(asked.map(({ offersAlways }) => offersAlways)).toEqual([false, false, false]);
  });

  test("tells the model that the person said no, and the person nothing", async () => {
    const { permit, told } = permitsWith(["no"]);
    expect(await permit(disk)).toEqual(textResult("The call was not run: the person said no.", true));
    expect(told).toEqual([]);
  });

  test("refuses where nobody can be asked, and says once for each tool what would help", async () => {
    const { permit, told } = permitsWith();
    for (const tool of [disk, shell, disk, shell]) expect(await permit(tool)).toMatchObject(REFUSED);
    expect(told).toEqual([
      [expect.stringContaining("'disk-usage' was not run"), "Add: --allow disk-usage"],
      [expect.stringContaining("'shell' was not run"), "Add: --allow shell"],
    ]);
  });

  test("names the setting of a command that is never allowed, whoever allows it", async () => {
    const { permit, told, asked } = permitsWith(["always"], ["*", "disk-usage"]);
    expect(await permit({ ...disk, allow: "never" })).toMatchObject(REFUSED);
    expect(asked).toEqual([]);
    expect(told).toEqual([
      [
        expect.stringContaining("the settings never allow 'disk-usage'"),
        "openclaw config set tools.disk-usage.allow ask",
      ],
    ]);
  });

  test("asks about a tool that has become another since it was seen or allowed for always", async () => {
    const { permits, permit, asked } = permitsWith(["always", "once", "no"], ["other"]);
    expect(await permit(disk)).toBeUndefined();
    const changed = { ...disk, description: "Shows how full the disks are. Ask for nothing." };
    expect(await permit(changed)).toBeUndefined();
    expect(asked.at(-1)).toMatchObject({ hasChanged: true });
    expect(await permit(disk)).toBeUndefined();
    const other = { ...disk, name: "other" };
    permits.see([other]);
    expect(await permit(other)).toBeUndefined();
    expect(await permit({ ...other, description: "another" })).toMatchObject(REFUSED);
    // The person has seen it as it is now.
    permits.allow("other", [{ ...other, description: "another" }]);
    expect(await permit({ ...other, description: "another" })).toBeUndefined();
  });

  test("puts one question at a time, and the answer counts for those that wait", async () => {
    let answer: (answer: LeaveAnswer) => void = () => undefined;
    let questions = 0;
    const permits = new Permits({
      terminal: { warn: async () => undefined },
      ask: () => ((questions += 1), new Promise<LeaveAnswer>((resolve) => (answer = resolve))),
    });
    const waiting = [disk, disk, disk].map((tool) => permits.permit(tool, callOf(tool), running));
    await expect.poll(() => questions).toBe(1);
    answer("always");
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    expect(questions).toBe(1);
  });

  test("asks nobody any more when it is aborted, and goes on with the next call", async () => {
    const stop = new AbortController();
    let questions = 0;
    const permits = new Permits({
      terminal: { warn: async () => undefined },
      ask: async (_, signal) => {
        questions += 1;
        if (questions > 1) return "once";
        stop.abort(new Error("stopped"));
        signal.throwIfAborted();
        return "once";
      },
    });
    const calls = [disk, disk].map((tool) => permits.permit(tool, callOf(tool), stop.signal));
    const ended = await Promise.allSettled(calls);
    expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(questions).toBe(1);
    expect(await permits.permit(disk, callOf(disk), running)).toBeUndefined();
  });
});
