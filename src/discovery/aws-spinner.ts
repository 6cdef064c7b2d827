import type { Setup } from "../session/session.ts";
import { asksForCode } from "../credentials/chosen.ts";
import { withSpinner } from "../terminal/spinner.ts";

/** Shows a spinner while AWS is asked, but not over a question for an MFA code. Rejects with what `work` rejects with. */
export async function withAwsSpinner<T>(
  { runtime, decision }: Setup,
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  return asksForCode(decision) ? work() : withSpinner(runtime, text, work);
}
