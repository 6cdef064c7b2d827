import { jobChecks } from "../../src/batch/jobs/check-jobs.ts";
import { probeCheck } from "../../src/doctor/check-probe.ts";
import { toolsCheck } from "../../src/doctor/check-tools.ts";
import { checksOf } from "../../src/doctor/checks.ts";

interface DoctorSchema {
  properties: { checks: { items: { properties: { id: { enum: string[] } } } } };
}

/** The schema of `doctor --json` with the ids of all checks, in the order in which they are shown. */
export function doctorSchema(current: string): string {
  const schema = JSON.parse(current) as DoctorSchema;
  const checks = checksOf({
    hasProviders: true,
    usesMantle: true,
    tools: toolsCheck,
    others: jobChecks({ s3: "s3://bucket/prefix", role: undefined }),
    probe: probeCheck,
  });
  schema.properties.checks.items.properties.id.enum = checks.map(({ id }) => id);
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
