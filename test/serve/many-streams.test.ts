import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type LogLine, MODEL, serve } from "../helpers/served.ts";

const STREAMS = 500;
const DELTAS = 20;
/** Rounds of all streams at once: memory may not grow from one to the next. */
const ROUNDS = 3;

/** What the answer to a question must be: unlike that to any other. */
const deltasFor = (question: string): string[] =>
  Array.from({ length: DELTAS }, (_, index) => `${question}.${index} `);

interface Body {
  messages: { content: { text: string }[] }[];
}

/**
 * A hook for the server: what it has kept of memory, in MiB, when all that is thrown away has been collected, goes into a
 * file at SIGUSR2. How much the system has given to it says more of how busy the machine is.
 */
function keptMemory(): { hook: string; of: (child: Pick<ChildProcess, "kill">) => Promise<number> } {
  const folder = mkdtempSync(path.join(tmpdir(), "openclaw-memory-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [hook, told] = [path.join(folder, "hook.cjs"), path.join(folder, "told")];
  writeFileSync(
    hook,
    `require("node:v8").setFlagsFromString("--expose-gc");
    const collect = require("node:vm").runInNewContext("gc");
    const { renameSync, writeFileSync } = require("node:fs");
    process.on("SIGUSR2", async () => {
      // What is finalized in one collection is free in the next.
      for (let count = 0; count < 3; count++) {
        collect();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { heapUsed, external } = process.memoryUsage();
      writeFileSync(${JSON.stringify(`${told}.new`)}, String((heapUsed + external) / 1024 / 1024));
      renameSync(${JSON.stringify(`${told}.new`)}, ${JSON.stringify(told)});
    });`,
  );
  const of = async (child: Pick<ChildProcess, "kill">): Promise<number> => {
    child.kill("SIGUSR2");
    await expect.poll(() => existsSync(told), { timeout: 20_000 }).toBe(true);
    const kept = Number(readFileSync(told, "utf8"));
    rmSync(told);
    return kept;
  };
  return { hook, of };
}

it(
  "carries 500 streams at once through one process: none is lost, none mixed up, and memory stays flat",
  { timeout: 90_000 },
  async (context) => {
    if (process.platform === "win32") return context.skip("There is no SIGUSR2.");
    const kept = keptMemory();
    let open = 0;
    let mostOpen = 0;
    let release = (): void => undefined;
    const { client, child, log, logged } = await serve({
      env: { NODE_OPTIONS: `--require ${kept.hook}` },
      emulator: {
        script: ({ route, body }) => {
          if (route !== "ConverseStream") return undefined;
          const question = (body as Body).messages[0]?.content[0]?.text ?? "";
          const gathered = new Promise<void>((resolve) => everybody.push(resolve));
          open += 1;
          mostOpen = Math.max(mostOpen, open);
          if (open === STREAMS) release();
          async function* steps() {
            let index = 0;
            for (const step of textAnswerSteps(deltasFor(question))) {
              yield step;
              // All of them have begun before any goes on.
              if (index++ === 1) yield { wait: gathered };
            }
            open -= 1;
          }
          return { stream: steps() };
        },
      },
    });
    const everybody: (() => void)[] = [];
    release = () => {
      for (const go of everybody.splice(0)) go();
    };
    const ask = async (question: string): Promise<void> => {
      const stream = await client.chat.completions.create({
        model: MODEL,
        stream: true,
        messages: [{ role: "user", content: question }],
      });
      let text = "";
      let finish: string | null = null;
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? "";
        finish = choices[0]?.finish_reason ?? finish;
      }
      expect({ text, finish }).toEqual({ text: deltasFor(question).join(""), finish: "stop" });
    };
    const memory: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: STREAMS }, (_, index) => ask(`r${round}q${index}`)));
      memory.push(await kept.of(child));
    }
    expect(mostOpen).toBe(STREAMS);
    const isAnswered = ({ kind, status }: LogLine): boolean => kind === "request" && status === 200;
    await logged(() => log.filter(isAnswered).length === STREAMS * ROUNDS);
    // The first rounds fill caches, code and pools of connections; after them nothing may be kept of an answer: 10 KB of
    // each would be 5 MiB.
    const [, second = 0] = memory;
    console.log(`MiB kept after each round: ${memory.map((size) => size.toFixed(1)).join(", ")}`);
    expect(memory.at(-1)).toBeLessThan(second + 5);
  },
);
