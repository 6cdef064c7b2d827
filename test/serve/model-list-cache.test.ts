import { expect, it } from "vitest";
import { OpenclawError } from "../../src/errors.ts";
import { ModelListCache } from "../../src/serve/model-list-cache.ts";
import { emulate } from "../helpers/emulated.ts";
import { testSession } from "../helpers/test-session.ts";

it("says nothing of a list that nobody needs any more when the program ends", async () => {
  const { home, env } = await emulate();
  const end = new AbortController();
  const { session, runtime } = await testSession(home, { ...env }, { signal: end.signal });
  let now = 0;
  const lists = new ModelListCache({
    ...session.setup,
    runtime: { ...session.setup.runtime, elapsed: () => now },
  });
  await lists.current();
  now = 24 * 3600 * 1000;
  // It is refreshed beside.
  await lists.current();
  end.abort(new OpenclawError("interrupted", { message: "The run has ended." }));
  await expect(lists.newest()).rejects.toMatchObject({ code: "interrupted" });
  expect(runtime.stderr()).toBe("");
});
