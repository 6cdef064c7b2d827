import type { CredentialDecision } from "./order.ts";

/** Whether resolving the credentials asks the person at the terminal for an MFA code, which a spinner would write over. */
export function asksForCode({ chosen }: CredentialDecision): boolean {
  return "from" in chosen && chosen.from.kind === "assume-role" && chosen.from.mfaSerial !== undefined;
}
