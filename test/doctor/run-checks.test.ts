import schema from "../../docs/schemas/doctor.schema.json" with { type: "json" };
import { describe, expect, it } from "vitest";
import { type Check, fail, ok, skip, warn } from "../../src/doctor/check.ts";
import { jobChecks } from "../../src/batch/jobs/check-jobs.ts";
import { probeCheck as probe } from "../../src/doctor/check-probe.ts";
import { toolsCheck as tools } from "../../src/doctor/check-tools.ts";
import { checksOf } from "../../src/doctor/checks.ts";
import { runChecks } from "../../src/doctor/run-checks.ts";
import { OpenclawError } from "../../src/errors.ts";

type Log = string[];

function check(id: string, needs: string[], run: Check<Log>["run"]): Check<Log> {
  return { id, title: `the ${id}`, needs, hint: `general hint of ${id}`, run };
}

const bounds = (totalMs = 5000, signal = new AbortController().signal) => ({
  totalMs,
  signal,
  elapsed: () => performance.now(),
});
const broken = new OpenclawError("access-denied", { message: "No.", hint: "Ask." });

describe("a run of checks", () => {
  it("gives results in the order of the list, whatever needs whatever", async () => {
    const log: Log = [];
    const note = (id: string) => async (context: Log) => {
      context.push(id);
      return ok(id);
    };
    const results = await runChecks(
      [check("c", ["a", "b"], note("c")), check("a", [], note("a")), check("b", ["a"], note("b"))],
      log,
      bounds(),
    );
    expect(results.map(({ id }) => id)).toEqual(["c", "a", "b"]);
    expect(log).toEqual(["a", "b", "c"]);
  });

  it("runs checks that do not need each other at once", async () => {
    let arrived = 0;
    let release: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (release = resolve));
    const meet = async () => {
      arrived += 1;
      if (arrived === 2) release();
      await both;
      return ok("met");
    };
    const results = await runChecks([check("a", [], meet), check("b", [], meet)], [], bounds());
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok"]);
  });

  it.each([
    ["ok", ok("fine"), "ok"],
    ["a warning", warn("so so"), "ok"],
    ["a failure", fail(broken), "skip"],
    ["a skip", skip("no"), "skip"],
  ])("goes on behind %s as it should", async (_, outcome, status) => {
    const results = await runChecks(
      [check("a", [], async () => outcome), check("b", ["a"], async () => ok("b"))],
      [],
      bounds(),
    );
    expect(results[1]).toMatchObject({ status, detail: status === "ok" ? "b" : "needs the a" });
  });

  it("takes an OpenclawError for a failure, with its message and hint", async () => {
    const [result] = await runChecks([check("a", [], () => Promise.reject(broken))], [], bounds());
    expect(result).toMatchObject({ status: "fail", detail: "No.", hint: "Ask.", error: broken });
  });

  it("gives warnings and failures the check's own hint where they bring none, and nothing to the others", async () => {
    const bare = new OpenclawError("network", { message: "No." });
    const results = await runChecks(
      [
        check("a", [], async () => warn("w")),
        check("b", [], () => Promise.reject(bare)),
        check("c", [], async () => ok("o")),
        check("d", [], async () => skip("s")),
      ],
      [],
      bounds(),
    );
    expect(results.map(({ hint }) => hint)).toEqual([
      "general hint of a",
      "general hint of b",
      undefined,
      undefined,
    ]);
  });

  it("does not send people to doctor, where they are", async () => {
    const error = new OpenclawError("network", {
      message: "No.",
      hint: "Check the endpoint: openclaw doctor",
    });
    const [result] = await runChecks([check("a", [], () => Promise.reject(error))], [], bounds());
    expect(result?.hint).toBe("Check the endpoint.");
    const bare = new OpenclawError("network", { message: "No.", hint: "Run: openclaw doctor" });
    const [other] = await runChecks([check("a", [], () => Promise.reject(bare))], [], bounds());
    expect(other?.hint).toBe("general hint of a");
  });

  it("tells once what several checks meet, where it fails, and points there from the others", async () => {
    const other = new OpenclawError("network", { message: "Nobody is there.", hint: "Look." });
    const results = await runChecks(
      [
        check("a", [], async () => warn("This cannot be asked: No. Not now.", "Ask.")),
        check("b", [], () => Promise.reject(broken)),
        check("c", [], () => Promise.reject(broken)),
        check("d", [], () => Promise.reject(other)),
        check("e", ["b"], async () => ok("e")),
        check("f", [], async () => warn("So so.")),
      ],
      [],
      bounds(),
    );
    expect(results.map(({ status, detail, hint }) => [status, detail, hint])).toEqual([
      ["skip", "see the b", undefined],
      ["fail", "No.", "Ask."],
      ["skip", "see the b", undefined],
      ["fail", "Nobody is there.", "Look."],
      ["skip", "needs the b", undefined],
      ["warn", "So so.", "general hint of f"],
    ]);
    expect(results.flatMap(({ error }) => error ?? [])).toEqual([broken, other]);
  });

  it("fails what is not done in time, skips what needs it, and keeps what was done", async () => {
    const never = () => new Promise<never>(() => undefined);
    const results = await runChecks(
      [check("a", [], async () => ok("a")), check("b", [], never), check("c", ["b"], async () => ok("c"))],
      [],
      bounds(50),
    );
    expect(results.map(({ status }) => status)).toEqual(["ok", "fail", "skip"]);
    expect(results[1]?.error).toMatchObject({
      code: "timeout",
      exitCode: 5,
      message: "The check 'the b' was not done within 0.05 s.",
    });
  });

  it("ends with a signal's reason", async () => {
    const interruption = new AbortController();
    const reason = new OpenclawError("interrupted", { message: "Interrupted by SIGINT." });
    const run = runChecks(
      [check("a", [], () => new Promise(() => undefined))],
      [],
      bounds(5000, interruption.signal),
    );
    interruption.abort(reason);
    await expect(run).rejects.toBe(reason);
    await expect(
      runChecks([check("a", [], async () => ok("a"))], [], bounds(5000, interruption.signal)),
    ).rejects.toBe(reason);
  });

  it("does not take a bug for a failed check", async () => {
    await expect(
      runChecks([check("a", [], () => Promise.reject(new TypeError("bug")))], [], bounds()),
    ).rejects.toThrow("bug");
  });
});

describe("the checks of doctor", () => {
  it("stand in the order in which the schema names them", () => {
    const { items } = schema.properties.checks;
    const ids = (options: Parameters<typeof checksOf>[0]): string[] => checksOf(options).map(({ id }) => id);
    const others = jobChecks({ s3: "s3://bucket/prefix", role: undefined });
    expect(ids({ hasProviders: true, usesMantle: true, tools, others, probe })).toEqual(
      items.properties.id.enum,
    );
    expect(ids({ probe })).toEqual([...ids({}), "probe"]);
    expect(ids({ usesMantle: true })).toEqual([...ids({}), "mantle"]);
    expect(ids({ hasProviders: true })).toEqual([...ids({}), "providers"]);
    expect(ids({ tools })).toEqual([...ids({}), "tools"]);
  });

  it("need only each other, and never in a circle", () => {
    const checks = new Map(checksOf({ probe }).map((item) => [item.id, item]));
    const walk = (id: string, path: string[]): void => {
      expect(path).not.toContain(id);
      const needs = checks.get(id)?.needs;
      expect(needs, id).toBeDefined();
      for (const need of needs ?? []) walk(need, [...path, id]);
    };
    for (const id of checks.keys()) walk(id, []);
  });
});
