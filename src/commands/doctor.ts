import { beginExamination } from "../doctor/begin-examination.ts";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { DoctorOptions } from "./doctor/run-doctor.ts";

/**
 * Examines credentials, region, permissions and configuration, prints what was found and always the four credential
 * sources. Throws `usage`, and the error of the first failing check when everything is printed.
 */
export async function run(options: DoctorOptions, runtime: Runtime): Promise<void> {
  const { batch, role } = options;
  if (role !== undefined && batch === undefined)
    throw usageError(
      "--role is for the batch jobs of a bucket, and none is named.",
      `openclaw doctor --batch s3://BUCKET/PREFIX --role ${quoteForShell(role)}`,
    );
  const beginning = beginExamination(options, runtime);
  // AWS is greeted while the checks are loaded.
  await beginning.setup();
  const { runDoctor } = await import("./doctor/run-doctor.ts");
  await runDoctor(options, beginning);
}
