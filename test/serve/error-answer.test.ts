import type { ErrorObject } from "openai/resources/shared";
import { describe, expect, it } from "vitest";
import { EXIT_CODES, type ErrorCode, OpenclawError } from "../../src/errors.ts";
import { chatCompletions } from "../../src/serve/dialects/chat-completions/routes.ts";
import { toErrorAnswer } from "../../src/serve/error-answer.ts";

function answer(failure: unknown) {
  const answered = toErrorAnswer(failure);
  return {
    status: answered.status,
    ...(chatCompletions.toError(answered, "").body as { error: ErrorObject }),
  };
}

describe("errors in OpenAI's shape", () => {
  const codes = Object.keys(EXIT_CODES) as ErrorCode[];
  it.each(codes)("%s has a status, a type and a code", (code) => {
    const { status, error } = answer(new OpenclawError(code, { message: "What happened." }));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(error.message).not.toBe("");
    expect(error.type).toMatch(/^[a-z_]+$/);
    expect(error.code).toMatch(/^[a-z_]+$/);
  });

  it.each([
    ...codes.map((code) => [code, {}] as const),
    ["access-denied", { action: "bedrock:InvokeModel" }] as const,
    ["model-access", { gate: "agreement" }] as const,
    ["model-not-found", { nearest: ["a"] }] as const,
  ])("%s %j says nothing of the command line", (code, details) => {
    const hint = "Look at it: openclaw doctor --probe";
    const { error } = answer(new OpenclawError(code, { message: "What happened.", hint, details }));
    expect(error.message).not.toMatch(/openclaw|--[a-z]/);
  });

  it("tells that credentials have expired, and whom to tell", () => {
    const { status, error } = answer(new OpenclawError("credentials-expired", { message: "Gone." }));
    expect([status, error.message]).toEqual([
      403,
      "The AWS credentials of this server have expired. Tell whoever runs it.",
    ]);
  });

  it("says nothing of what a bug of ours holds", () => {
    const { status, error } = answer(new TypeError("secret is undefined"));
    expect(status).toBe(500);
    expect(error.message).not.toContain("secret");
  });
});
