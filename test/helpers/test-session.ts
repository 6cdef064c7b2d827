import { onTestFinished } from "vitest";
import type { Target } from "../../src/models/resolve-model.ts";
import { type AwsSession, openSession, readSetup } from "../../src/session/session.ts";
import { type TestRuntime, testRuntime, useEnvironment } from "./test-runtime.ts";

export interface TestSession {
  session: AwsSession;
  runtime: TestRuntime;
}

/** A session in this process, until the test ends, of whoever has this environment and no configuration. */
export async function testSession(
  home: string,
  own: Readonly<Record<string, string>>,
  options: { target?: Target; signal?: AbortSignal | undefined } = {},
): Promise<TestSession> {
  const { target = { kind: "discovery" }, signal } = options;
  const env = { HOME: home, AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true", ...own };
  useEnvironment(env);
  const runtime = testRuntime({ home, env, ...(signal && { signal }) });
  const config = { file: "", exists: false, value: {} };
  const session = await openSession(await readSetup({ color: false }, runtime, config), target);
  onTestFinished(() => session.close());
  return { session, runtime };
}
