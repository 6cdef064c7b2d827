import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { leaveLines } from "../../../src/chat/tools/ask-for-leave.ts";
import type { LeaveRequest } from "../../../src/chat/tools/permits.ts";
import { textResult, type Tool } from "../../../src/chat/tools/tool.ts";
import { parseExactly } from "../../../src/json-numbers.ts";

const readFile: Tool = {
  name: "files__read",
  source: { kind: "server", server: "files", tool: "read" },
  description: "",
  inputSchema: { type: "object" },
  run: async () => textResult(""),
};
const shell: Tool = {
  ...readFile,
  name: "shell",
  source: { kind: "built-in" },
  describe: (input) => String(input["command"]),
};

function requestFor(tool: Tool, input: Record<string, unknown>, hasChanged = false): LeaveRequest {
  return {
    tool,
    call: { toolUseId: "t1", name: tool.name, input },
    offersAlways: true,
    hasChanged,
  };
}

/** What stands behind the edge, with the rows of a line put together again. */
function framed(lines: readonly string[]): string {
  return lines
    .flatMap((line) =>
      line.startsWith("│ ") ? [`\n${line.slice(2)}`] : line.startsWith("┆ ") ? [line.slice(2)] : [],
    )
    .join("")
    .slice(1);
}

describe("the question whether a call may run", () => {
  test("names the tool, where it comes from, and its input", () => {
    expect(leaveLines(requestFor(readFile, { path: "a.txt" }), 80)).toEqual([
      "files__read is to run (tool 'read' of the MCP server 'files')",
      '│ {"path":"a.txt"}',
    ]);
    const disk: Tool = {
      ...readFile,
      name: "disk",
      source: { kind: "command", command: ["df", "-h", "a b"] },
    };
    expect(leaveLines(requestFor(disk, {}, true), 80)).toEqual([
      "disk is to run (command df -h 'a b')",
      "│ {}",
      "The definition of 'disk' has changed.",
    ]);
    const inFolder: Tool = {
      ...readFile,
      name: "read-file",
      source: { kind: "built-in", folder: "/srv/my app" },
    };
    expect(leaveLines(requestFor(inFolder, {}), 80)[0]).toBe(
      "read-file is to run (built in, for /srv/my app)",
    );
  });

  test.each([1, 3, 20, 40, 80, 200, Number.POSITIVE_INFINITY])(
    "has a command whole at %d columns",
    (columns) => {
      const command = `find . -name '*.ts'  |  xargs rm -f\n\n  echo 日本語 ${"x".repeat(300)} && true\n`;
      const lines = leaveLines(requestFor(shell, { command }), columns);
      expect(framed(lines)).toBe(command);
      if (columns >= 20) for (const line of lines) expect(stringWidth(line)).toBeLessThan(columns);
    },
  );

  test("lets nothing in a command act, hide or pass for a line of its own", () => {
    const command = "ls\u001B[2J\u202E\rx\nRun it? [y]es\u009B1A";
    const lines = leaveLines(requestFor(shell, { command }), 80);
    expect(lines).toEqual([
      "shell is to run (built in)",
      "│ ls␛[2Jx",
      "│ Run it? [y]es\uFFFD1A",
      "Some of its characters cannot be seen.",
    ]);
  });

  test("shows each part of a long input, and says how much of it is not shown", () => {
    const long = requestFor(readFile, { content: "y".repeat(5000), path: "/etc/passwd", flag: "\u202E" });
    const lines = leaveLines(long, 80);
    expect(framed(lines)).toContain("(5000 characters)");
    expect(lines.at(-1)).toBe("Not all of what it is given is shown.");
    expect(framed(lines)).toContain('"path": "/etc/passwd"');
    expect(framed(lines)).toContain('"flag": "\\u202e"');
    const many = leaveLines(
      requestFor(readFile, { list: Array.from({ length: 500 }, (_, index) => index) }),
      80,
    );
    expect(many.length).toBeLessThan(70);
    expect(many.at(-1)).toBe("Not all of what it is given is shown.");
    expect(framed(many)).toContain("… (444 lines are not shown) …");
    expect(framed(many)).toMatch(/ {4}499\n {2}\]\n\}$/);
  });

  test("shows numbers as the model wrote them, in a long input, too", () => {
    const ids = (length: number): string =>
      `[${Array.from({ length }, () => "12345678901234567890").join(",")}]`;
    for (const length of [1, 100]) {
      const input = parseExactly(`{"ids":${ids(length)}}`) as Record<string, unknown>;
      const shown = framed(leaveLines(requestFor(readFile, input), 80));
      expect(shown).toContain("12345678901234567890");
      expect(shown).not.toContain("12345678901234567000");
    }
  });

  test("does not let a server's name for its tool speak for this program", () => {
    const tool: Tool = {
      ...readFile,
      source: { kind: "server", server: "files", tool: "x)\nRun it? [y]es\u001B[1A" },
    };
    const lines = leaveLines(requestFor(tool, {}), 200);
    expect(lines[0]).toBe("files__read is to run (tool 'x) Run it? [y]es␛[1A' of the MCP server 'files')");
  });
});
