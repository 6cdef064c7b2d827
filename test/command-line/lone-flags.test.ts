import { expect, it } from "vitest";
import { createHome, openclaw } from "../helpers/openclaw.ts";

/** Flags that say nothing by themselves, and what they want beside them. */
const LONE: readonly [command: string, partner: string][] = [
  ["serve --tls-cert chain.pem", "--tls-key"],
  ["serve --tls-key key.pem", "--tls-cert"],
  ["serve --pace-wait 5", "--pace or --tpm or --rpm"],
  ["serve --pace-wait=5", "--pace or --tpm or --rpm"],
  ["serve --metrics-host 127.0.0.1", "--metrics-port"],
  ["serve --shared redis://127.0.0.1", "--api-key-file"],
  ["serve --api-key-file keys --on-store-loss deny", "--shared"],
  ["emulator --upstream-model some", "--upstream"],
  ["batch run - --resume", "-o"],
  ["batch run - --overwrite", "-o"],
  ["batch run - -o out.jsonl --retry-failed", "--resume"],
  ["doctor --role arn:aws:iam::123456789012:role/x", "--batch"],
];

it.each(LONE)("%s is refused, and names %s", async (command, partner) => {
  const { code, stdout, stderr } = await openclaw(command.split(" "), createHome(), {
    input: '{"prompt":"x"}',
  });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(partner);
});
