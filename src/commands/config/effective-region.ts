import { openSession, regionWithoutAsking, readSetup } from "../../session/session.ts";
import type { EffectiveRegion } from "../../config/effective.ts";
import type { LoadedConfig } from "../../config/resolve.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

/** The region discovery would use, asking the instance metadata service only where nothing nearer names one. */
export async function effectiveRegion(
  options: GlobalOptions,
  runtime: Runtime,
  config: LoadedConfig,
): Promise<EffectiveRegion> {
  const setup = await readSetup(options, runtime, config);
  const known = regionWithoutAsking(setup, { kind: "discovery" });
  if (known) return known;
  const session = await openSession(setup, { kind: "discovery" });
  session.close();
  return session.region;
}
