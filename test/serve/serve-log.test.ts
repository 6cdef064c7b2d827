import { expect, it } from "vitest";
import { ServeLog } from "../../src/serve/serve-log.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const entry = { method: "POST", path: "/v1/responses", requestId: "r" };

it("writes a request of many MB in turns, as one line, with the lines of others behind it", async () => {
  const runtime = testRuntime({ home: createHome() });
  const log = new ServeLog(runtime);
  const request = { input: ["\n".repeat(4_000_000), `${"a".repeat(20_000_000)}\u009b\ud83d`] };
  let turns = 0;
  let isOver = false;
  const tick = (): void => {
    turns += 1;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  log.request({ ...entry, request });
  log.note("after it");
  log.request({ ...entry, request: "short" });
  log.request(entry);
  await log.settled();
  isOver = true;
  expect(turns).toBeGreaterThan(3);
  const text = runtime.stderr();
  expect(text.includes("\u009b")).toBe(false);
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines).toHaveLength(4);
  const [long, note, short, plain] = lines.map((line) => JSON.parse(line));
  expect(long.request.input[0] === request.input[0]).toBe(true);
  expect(long.request.input[1] === `${"a".repeat(20_000_000)}\u009b\ufffd`).toBe(true);
  expect([note.message, short.request, plain.kind]).toEqual(["after it", "short", "request"]);
});
