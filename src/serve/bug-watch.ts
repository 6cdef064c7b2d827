import { hideSecrets } from "../credentials/hide-secrets.ts";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { withSources } from "../source-stack.ts";
import { BUG_HINT } from "../version.ts";
import { runningCall } from "./call.ts";
import type { ServeLog } from "./serve-log.ts";

/** So many bugs within so many ms are no accident any more: whoever watches the server is to start it anew. */
const MOST_BUGS = 10;
const WITHIN_MS = 60_000;

/**
 * Takes what is thrown where nobody waits for it: logs it, fails the call that it belongs to, and lets the server go on.
 * Calls `onTooMany` with the error to end with when there are ten within a minute.
 */
export function watchBugs(runtime: Runtime, log: ServeLog, onTooMany: (reason: OpenclawError) => void): void {
  const times: number[] = [];
  runtime.onUncaught((failure) => {
    const call = runningCall();
    const stack = failure instanceof Error ? withSources(failure.stack ?? failure.message) : String(failure);
    log.bug(hideSecrets(stack, runtime), call?.entry.requestId);
    call?.breakOff(failure);
    const now = runtime.elapsed();
    times.push(now);
    if (times.length > MOST_BUGS) times.shift();
    if (times.length < MOST_BUGS || now - (times[0] ?? 0) > WITHIN_MS) return;
    const message = `Ending after ${MOST_BUGS} bugs within ${WITHIN_MS / 1000} s, to be started anew. ${BUG_HINT}`;
    log.note(message);
    // The log has said it: stderr holds nothing but its lines.
    onTooMany(new OpenclawError("interrupted", { message, exitCode: 1 }));
  });
}
