import { expect, it } from "vitest";
import { answerHostilely, HOSTILE_ANSWERS, type HostileAnswer } from "../helpers/hostile-answers.ts";
import { emulate } from "../helpers/emulated.ts";
import { MODEL, serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";
import { watchHealth } from "../helpers/watch-health.ts";

/** How much there is of each. */
const MEGABYTES = isThorough ? 20 : 2;
/** What nobody waits longer for, on a machine that does much else. */
const LONGEST_MS = 1500;

const configFor = (url: string): string =>
  JSON.stringify({
    models: {
      bedrockDiscovery: { refreshInterval: 0 },
      providers: { other: { baseUrl: `${url}/other/v1`, api: "openai-completions" } },
    },
  });

it("serve answers others whatever the servers behind it send", async () => {
  let current = HOSTILE_ANSWERS[0] as HostileAnswer;
  const url = await answerHostilely(() => current, MEGABYTES);
  const { origin } = await serve({ isAlone: true, env: { AWS_ENDPOINT_URL: url }, config: configFor(url) });
  const watched = watchHealth(origin);
  // Loads what all others need.
  await ask(origin, current);
  const told: { what: string; ms: number; status: number; text: string; isFine: boolean }[] = [];
  // A list is asked for once, by whoever needs it first.
  for (const answer of HOSTILE_ANSWERS.filter(({ from }) => !from.endsWith("list"))) {
    current = answer;
    const { ms, result } = await watched(() => ask(origin, answer));
    const { status, text } = result;
    const isFine = answer.isRight === true ? status === 200 && !text.includes('"error"') : status !== 500;
    told.push({
      what: `${answer.from}: ${answer.what}`,
      ms,
      status,
      text: text.slice(-200),
      isFine,
    });
  }
  console.log(told.map(({ what, ms, status }) => `${ms} ms, ${status}: ${what}`).join("\n"));
  expect(told.filter(({ isFine }) => !isFine)).toEqual([]);
  expect(told.filter(({ ms }) => ms > LONGEST_MS)).toEqual([]);
}, 600_000);

/** Asks a model; resolves with the status, and the beginning and the end of the text. */
async function ask(origin: string, { from }: HostileAnswer): Promise<{ status: number; text: string }> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: from === "server" ? "other/m" : MODEL,
      stream: true,
      messages: [{ role: "user", content: "x" }],
    }),
  });
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString("latin1");
    if (text.length > 4000) text = text.slice(0, 500) + text.slice(-2000);
  }
  return { status: response.status, text };
}

/** In the small form all lists, and of the others every fourth. */
const OF_COMMANDS = isThorough
  ? HOSTILE_ANSWERS
  : HOSTILE_ANSWERS.filter(({ from }, index) => from.endsWith("list") || index % 4 === 0);

it.each(OF_COMMANDS)("a command ends at what $from sends: $what", async (answer) => {
  const url = await answerHostilely(() => answer, MEGABYTES);
  const { run, configure } = await emulate();
  configure(configFor(url));
  const question = ["chat", "--no-save", "-m", answer.from === "server" ? "other/m" : MODEL, "hi"];
  const { code, stderr } = await run(answer.from.endsWith("list") ? ["models", "list"] : question, {
    env: { AWS_ENDPOINT_URL: url, AWS_REGION: "us-east-1", AWS_MAX_ATTEMPTS: "1" },
  });
  if (answer.isRight) expect(code, stderr.slice(0, 2000)).toBe(0);
  else expect([0, 5, 6], stderr.slice(0, 2000)).toContain(code);
  expect(stderr.length).toBeLessThan(20_000);
});
