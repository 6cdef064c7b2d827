import { beforeAll, describe, expect, it } from "vitest";
import { ERROR_TABLE } from "../../src/session/error-table.ts";
import { EXIT_CODES } from "../../src/errors.ts";
import { expectSchema } from "../helpers/schema.ts";
import { FAULTS, type FaultRow } from "./fault-table.ts";
import { createQueue, type Trial, type Trials, tryFault } from "./try-fault.ts";

/** Programs at once: each is busy for a fraction of a second. */
const AT_ONCE = 4;
const trials = new Map<FaultRow, Promise<Trials>>();

beforeAll(() => {
  const inTurn = createQueue(AT_ONCE);
  // Those that only wait have turns of their own, so that nobody waits for them.
  const waiting = createQueue(2 * AT_ONCE);
  for (const row of [...FAULTS].sort(
    (left, right) => Number(right.isSlow ?? false) - Number(left.isSlow ?? false),
  )) {
    const trial = tryFault(row, row.isSlow ? waiting : inTurn);
    // Its own test tells.
    trial.catch(() => undefined);
    trials.set(row, trial);
  }
});

async function trialsOf(row: FaultRow): Promise<Trials> {
  const found = await trials.get(row);
  if (!found) throw new Error(`${row.name} was not tried.`);
  return found;
}

function exitCodeOf({ code }: { code?: FaultRow["list"]["code"] }): number {
  return code === undefined ? 0 : EXIT_CODES[code];
}

/** No stack, nothing of the SDK, and an error in two lines where there is one. */
function expectTidy({ stderr }: Trial, isError: boolean): void {
  const said = stderr.replace(/^(openclaw|warning|hint): .*\n/gm, (line) => (isError ? line : ""));
  expect(stderr).not.toMatch(/\n\s+at |Warning:|undefined|\[object/);
  if (isError) expect(said).toMatch(/^error: .+\nhint: .+\n$/m);
  else expect(said).toBe("");
}

/** Of `chat --json`. */
function expectDocument({ chat }: FaultRow, { stdout }: Trial): void {
  const document = JSON.parse(stdout);
  if (chat.code === undefined) {
    expectSchema("chat", document);
    expect(document).toMatchObject({ text: chat.text, attempts: chat.calls });
    return;
  }
  expectSchema("error", document);
  expect(document.error).toMatchObject({ code: chat.code, exitCode: exitCodeOf(chat) });
  expect(document.error?.partialText ?? "").toBe(chat.text);
}

/** Of `chat --ndjson`. */
function expectEvents({ chat }: FaultRow, { stdout }: Trial): void {
  const events = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  for (const event of events) expectSchema("chat-event", event);
  const texts = events.filter(({ type }) => type === "text").map(({ text }) => text);
  expect(texts.join("")).toBe(chat.text);
  expect(events.at(-1)).toMatchObject(
    chat.code === undefined
      ? { type: "usage" }
      : { type: "error", code: chat.code, exitCode: exitCodeOf(chat) },
  );
  expect(events.filter(({ type }) => type === "start").length).toBe(chat.text === "" ? 0 : 1);
}

describe.each([
  "HTTP errors",
  "Exceptions inside the stream",
  "The connection",
  "The event stream",
  "What is not AWS's",
] as const)("%s", (group) => {
  it.each(FAULTS.filter((row) => row.group === group))(
    "$name",
    async (row) => {
      const { text, json, ndjson, list, doctor } = await trialsOf(row);
      const { chat } = row;
      const exitCode = exitCodeOf(chat);

      // chat
      expect(text.stdout).toBe(chat.text === "" ? "" : `${chat.text}\n`);
      for (const trial of [text, json, ndjson].filter((told) => told !== undefined)) {
        expect(trial.code).toBe(exitCode);
        expect(trial.calls("ConverseStream")).toBe(chat.calls);
        expectTidy(trial, chat.code !== undefined);
      }

      if (json) expectDocument(row, json);
      if (ndjson) expectEvents(row, ndjson);

      // models list
      const models = JSON.parse(list.stdout);
      expectSchema("models-list", models);
      expect(list.code).toBe(exitCodeOf(row.list));
      expect(models.error?.code).toBe(row.list.code);
      // The configured model is printed in any case.
      expect(models.models.map(({ name }: { name: string }) => name)).toContain("Configured");
      expectTidy(list, row.list.code !== undefined);

      // doctor
      const report = JSON.parse(doctor.stdout);
      expectSchema("doctor", report);
      expect(doctor.code).toBe(exitCodeOf(row.doctor));
      expect(report.error?.code).toBe(row.doctor.code);
      expect(report.credentials.order).toHaveLength(4);
      expectTidy(doctor, row.doctor.code !== undefined);
    },
    60_000,
  );
});

// Those of Amazon S3 and of jobs alone are tried where they are called: test/session/object-store.test.ts, test/commands/batch.
it("holds every HTTP error of the error table that these commands can meet", () => {
  const tried = FAULTS.map(({ name }) => name).join("\n");
  const missing = ERROR_TABLE.filter(
    ({ names, code, actions }) =>
      names.length > 0 &&
      actions === undefined &&
      !FAULTS.some(
        (row) => row.chat.code === code && names.some((name) => new RegExp(`^\\d+ ${name}`).test(row.name)),
      ),
  );
  expect(missing.map(({ names, code }) => `${names.join()} ${code}`)).toEqual([]);
  expect(tried).not.toBe("");
});
