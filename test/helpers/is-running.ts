import { existsSync, readFileSync } from "node:fs";

/** Whether a process runs. One that has ended and that nobody has asked about has an id, and does not. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    const status = `/proc/${processId}/stat`;
    return !existsSync(status) || !/\) Z /.test(readFileSync(status, "utf8"));
  } catch {
    return false;
  }
}
