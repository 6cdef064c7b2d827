import type { GlobalOptions } from "../options.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { maskUrl } from "../network/user-info.ts";

/**
 * The flags of a command line that decide what is asked and where, as a shell takes them, for another one to paste. A secret in
 * a URL is for who pastes it to put in.
 */
export function repeatFlags(options: GlobalOptions): string[] {
  const { config, profile, region, endpointUrl, emulator, emulatorScript } = options;
  const flags = Object.entries({
    config,
    profile,
    region,
    "endpoint-url": endpointUrl,
    "emulator-script": emulatorScript,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, quoteForShell(maskUrl(value))]));
  return emulator ? ["--emulator", ...flags] : flags;
}
