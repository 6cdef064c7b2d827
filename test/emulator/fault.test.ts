import { describe, expect, it } from "vitest";
import { OpenclawError } from "../../src/errors.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { emulate } from "../helpers/emulated.ts";

const CHAT = ["chat", "-m", "amazon.nova-lite-v1:0", "--json", "one two three four five"];
const LIST = ["models", "list", "--json", "--refresh"];
const BEGINNING = "This is a";

/** What comes of a command when these faults are asked for, and how often the route was called. */
async function meet(faults: readonly string[], args: readonly string[], route = "ConverseStream") {
  const user = await emulate({ script: faultScript(faults) });
  const { code, stdout } = await user.run(args, { env: { AWS_MAX_ATTEMPTS: "2" } });
  const document = JSON.parse(stdout) as {
    text?: string;
    attempts?: number;
    error?: { code: string; partialText?: string; message: string };
  };
  return { code, document, calls: user.emulator.calls.filter((call) => call.route === route).length };
}

describe("--fault", () => {
  it.each<[fault: string, code: string, calls: number]>([
    ["ConverseStream=ThrottlingException", "throttled", 2],
    ["ConverseStream=ValidationException: Input is too long for requested model.", "input-too-long", 1],
    ["*=AccessDeniedException: No.", "access-denied", 1],
    ["ConverseStream=reset", "network", 2],
    ["ConverseStream=close", "network", 2],
    ["ConverseStream=html", "bad-response", 1],
    ["ConverseStream=redirect", "bad-response", 1],
    ["ConverseStream=garbage", "bad-response", 1],
    ["ConverseStream=throttlingException", "throttled", 2],
    ["ConverseStream=no-stop@0", "stream-broken", 2],
  ])("%s is %s before the first token, after %d calls", async (fault, code, calls) => {
    const met = await meet([fault], CHAT);
    expect(met.document.error).toMatchObject({ code });
    expect(met.document.error).not.toHaveProperty("partialText");
    expect(met.calls).toBe(calls);
  });

  it.each<[fault: string, code: string]>([
    ["ConverseStream=throttlingException@3", "throttled"],
    ["ConverseStream=modelStreamErrorException@3: Oh.", "model-error"],
    ["ConverseStream=reset@3", "stream-broken"],
    ["ConverseStream=close@3", "stream-broken"],
    ["ConverseStream=no-stop@3", "stream-broken"],
    ["ConverseStream=truncate@3", "stream-broken"],
    ["ConverseStream=corrupt-prelude@3", "stream-broken"],
    ["ConverseStream=corrupt-message@3", "stream-broken"],
    ["ConverseStream=oversized@3", "bad-response"],
  ])("%s is %s after the text of three deltas, and the only call", async (fault, code) => {
    const { document, calls } = await meet([fault], CHAT);
    expect(document.error).toMatchObject({ code });
    expect(document.error?.partialText?.startsWith(BEGINNING)).toBe(true);
    expect(document.error?.partialText).not.toContain("five");
    expect(calls).toBe(1);
  });

  it("with more deltas than the answer has comes before its last word", async () => {
    const { document } = await meet(["ConverseStream=close@9999"], CHAT);
    expect(document.error).toMatchObject({ code: "stream-broken" });
    expect(document.error?.partialText).toContain("five");
  });

  it("hits the call that it names, and leaves the next one alone", async () => {
    const { code, document } = await meet(["ConverseStream:1=ServiceUnavailableException"], CHAT);
    expect(code).toBe(0);
    expect(document).toMatchObject({ attempts: 2, text: expect.stringContaining("five") });
  });

  it("takes the first that fits", async () => {
    const faults = [
      "ConverseStream:2=ValidationException: Second.",
      "ConverseStream=ServiceUnavailableException: First.",
    ];
    const { document } = await meet(faults, CHAT);
    expect(document.error).toMatchObject({ code: "invalid-request" });
    expect(document.error?.message).toContain("Second.");
  });

  it("drip sends the whole answer, byte by byte", async () => {
    const { code, document } = await meet(["ConverseStream=drip"], CHAT);
    expect(code).toBe(0);
    expect(document.text).toContain("one two three four five");
  });

  it("hits the lists, too", async () => {
    const { code, document, calls } = await meet(
      ["ListFoundationModels=ThrottlingException"],
      LIST,
      "ListFoundationModels",
    );
    expect(code).toBe(5);
    expect(document.error).toMatchObject({ code: "throttled" });
    expect(calls).toBe(2);
  });

  it("is silent until the client gives up", async () => {
    const { document } = await meet(["ConverseStream=stall@3"], [...CHAT, "--timeout", "3"]);
    expect(document.error).toMatchObject({ code: "timeout" });
    expect(document.error?.partialText?.startsWith(BEGINNING)).toBe(true);
  });

  it.each([
    ["ConverseStream", "not of the form"],
    ["ConverseStream:0=reset", "not of the form"],
    ["ConverseStreams=reset", "'ConverseStreams'"],
    ["ConverseStream=explode", "'explode'"],
    ["ConverseStream=constructor", "'constructor'"],
    ["ConverseStream=html@3", "'html' is a whole answer"],
    ["ListFoundationModels=reset@3", "'ListFoundationModels' has none"],
    ["*=throttlingException", "'*' has none"],
    ["JobRecord=reset", "is for a step of a job"],
    ["JobStart=throttlingException@2", "is for a step of a job"],
  ])("%s is a wrong call", (fault, message) => {
    let error: unknown;
    try {
      faultScript([fault]);
    } catch (failure) {
      error = failure;
    }
    expect(error).toBeInstanceOf(OpenclawError);
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(message) });
  });
});
