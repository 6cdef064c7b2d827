import { servedProviders } from "../models/provider-api.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, skip, warn, worst } from "./check.ts";
import type { Examination } from "./examination.ts";
import { count } from "../terminal/numbers.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Time for one answer, in ms. */
const ANSWER_MS = 5000;

/** Whether the OpenAI-compatible servers of the configuration answer, and list the models that are called there. */
export const providersCheck: Check<Examination> = {
  id: "providers",
  title: "other providers",
  needs: ["config"],
  hint: "Check baseUrl, apiKey and the server.",
  run: async (examination) => {
    if (examination.runtime.isEmulated) return skip("--emulator asks nobody but itself");
    const { value } = await examination.config();
    return worst(await Promise.all(servedProviders(value).map((id) => examine(id, examination))));
  },
};

async function examine(id: string, examination: Examination): Promise<Outcome> {
  const { runtime } = examination;
  const wanted = (await examination.models()).filter(({ providerId }) => providerId === id);
  try {
    const [{ openLine }, { askForModels }, { serverOf }, clearText, { value }, setup] = await Promise.all([
      import("../wires/call-server.ts"),
      import("../wires/list-models.ts"),
      import("../wires/server.ts"),
      import("../network/clear-text.ts"),
      examination.config(),
      examination.setup(),
    ]);
    const provider = value.models?.providers?.[id];
    const server = serverOf(id, provider, runtime.env);
    const line = await openLine(
      server,
      runtime,
      ANSWER_MS,
      setup.shared.profiles.get(setup.decision.profileName),
    );
    const started = runtime.elapsed();
    try {
      const ids = await askForModels(line, runtime.signal);
      const known = new Set([...ids, ...(provider?.models ?? []).map((model) => model.id)]);
      const missing = wanted.find((model) => !known.has(model.id));
      const detail = `${id} at ${server.shownUrl} lists ${count(ids.length, "model")}, ${Math.round(runtime.elapsed() - started)} ms`;
      const secret = clearText.secretOf(server.headers);
      if (!missing && secret !== undefined && clearText.isReadableOnTheWay(server.url, runtime.env)) {
        const { message, hint } = clearText.tellClearText(secret, server.url.origin);
        return warn(`${detail}; ${message}`, hint);
      }
      if (!missing) return ok(detail);
      return warn(
        `${detail}; ${missing.id} is not among them`,
        `openclaw models list --provider ${quoteForShell(id)}`,
      );
    } finally {
      line.close();
    }
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    // A server that no default model needs may well be down.
    return wanted.length > 0 ? fail(failure) : warn(`${id}: ${failure.message}`, failure.hint);
  }
}
