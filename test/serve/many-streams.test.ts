import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
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

/** Memory of a process, in MiB, as the kernel counts it. */
function memoryOf(processId: number): number {
  const [, kilobytes = "0"] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

it(
  "carries 500 streams at once through one process: none is lost, none mixed up, and memory stays flat",
  { timeout: 90_000 },
  async (context) => {
    if (process.platform !== "linux") return context.skip("Memory is read from /proc.");
    let open = 0;
    let mostOpen = 0;
    let release = (): void => undefined;
    const { client, child, log, logged } = await serve({
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
      memory.push(memoryOf(child.pid ?? 0));
    }
    expect(mostOpen).toBe(STREAMS);
    const isAnswered = ({ kind, status }: LogLine): boolean => kind === "request" && status === 200;
    await logged(() => log.filter(isAnswered).length === STREAMS * ROUNDS);
    // The first rounds fill buffers, code and pools of connections; after them nothing may be kept of an answer.
    const [, second = 0] = memory;
    expect(memory.at(-1), `MiB after each round: ${memory.map(Math.round).join(", ")}`).toBeLessThan(
      second * 1.25 + 20,
    );
  },
);
