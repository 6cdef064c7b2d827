import { describe, expect, it } from "vitest";
import type { CommandNode } from "../../src/completion/command-tree.ts";
import { describeTree } from "../../src/completion/describe-tree.ts";
import { PROGRAM } from "../../src/program.ts";

const tree = (): CommandNode => describeTree(PROGRAM);

function leaves(node: CommandNode, path: readonly string[] = []): { path: string; node: CommandNode }[] {
  return node.commands.length === 0
    ? [{ path: path.join(" "), node }]
    : node.commands.flatMap((child) => leaves(child, [...path, child.name]));
}

/** Flags and arguments whose values only the person knows. A new one belongs here, or into src/completion/describe-tree.ts. */
const FREE = [
  "chat --first-token-timeout",
  "chat --guardrail",
  "chat --max-tokens",
  "chat --metadata",
  "chat --stop",
  "chat --system",
  "chat --temperature",
  "chat --timeout",
  "chat --top-p",
  "chat prompt",
  "emulator --fault",
  "emulator --host",
  "emulator --port",
  "emulator --upstream",
  "emulator --upstream-model",
  "models list --search",
  "openclaw --endpoint-url",
  "serve --cors",
  "serve --drain-timeout",
  "serve --heartbeat",
  "serve --host",
  "serve --idle-timeout",
  "serve --map",
  "serve --max-body",
  "serve --max-streams",
  "serve --port",
];

describe("the described tree", () => {
  it("has every command but the hidden one", () => {
    const root = tree();
    const names = root.commands.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["config", "models", "chat", "doctor", "completion"]));
    expect(names).not.toContain("complete");
    const list = leaves(root).find(({ path }) => path === "models list");
    expect(list?.node.flags.find(({ long }) => long === "--sort")?.value).toMatchObject({ kind: "choices" });
    expect(list?.node.flags.map(({ long }) => long)).toContain("--help");
    expect(list?.node.flags.find(({ long }) => long === "--all")?.value).toBeUndefined();
  });

  it("knows what every flag and argument takes, or leaves it to the person on purpose", () => {
    const root = tree();
    const free: string[] = [];
    for (const { path, node } of [{ path: "openclaw", node: root }, ...leaves(root)]) {
      for (const { long, value } of node.flags) if (value?.kind === "anything") free.push(`${path} ${long}`);
      for (const { name, value } of node.arguments)
        if (value.kind === "anything") free.push(`${path} ${name}`);
    }
    expect(free.sort()).toEqual(FREE);
  });
});
