import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { floodServer } from "../helpers/flood-server.ts";

const HINT = "A proxy or another server may be in between";

describe("what answers in AWS's place without an end is given up at a bound:", () => {
  it.each([
    { args: ["models", "list"], status: 200 },
    { args: ["models", "list"], status: 500 },
    { args: ["models", "show", "amazon.nova-lite-v1:0"], status: 403 },
    { args: ["chat", "-m", "amazon.nova-lite-v1:0", "hi"], status: 403 },
    { args: ["chat", "-m", "amazon.nova-lite-v1:0", "hi"], status: 500 },
    { args: ["doctor"], status: 200 },
  ])("$args, with status $status", async ({ args, status }) => {
    const url = await floodServer({ status, begin: '{"modelSummaries":[', piece: " " });
    const { run } = await emulate();
    const { code, stderr } = await run(args, {
      env: { AWS_ENDPOINT_URL: url, AWS_REGION: "us-east-1", AWS_MAX_ATTEMPTS: "1" },
    });
    expect(stderr).toContain(`with status ${status}, has more than 25165824 bytes, and is not AWS's.`);
    expect(stderr).toContain(HINT);
    expect(code).toBe(5);
  });

  it("instance metadata", async () => {
    const url = await floodServer({ type: "text/plain", piece: "x" });
    const { run } = await emulate();
    const { code, stderr } = await run(["chat", "-m", "amazon.nova-lite-v1:0", "hi"], {
      env: {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
      },
    });
    expect(stderr).toContain("answers with more than 65536 bytes");
    expect([4, 5]).toContain(code);
  });
});
