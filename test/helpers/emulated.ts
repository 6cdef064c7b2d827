import { onTestFinished } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/emulator.ts";
import {
  type AtEnd,
  createHome,
  openclaw,
  type Result,
  type RunOptions,
  start,
  writeConfig,
} from "./openclaw.ts";

export interface Emulated {
  emulator: Emulator;
  home: string;
  /** The key pair and the endpoint of the emulator: what a user would export. */
  env: Record<string, string>;
  run(args: readonly string[], options?: RunOptions): Promise<Result>;
  start(args: readonly string[], options?: RunOptions): ReturnType<typeof start>;
  /** Writes the configuration file. */
  configure(text: string): void;
  /** The routes that were called, in order. */
  routes(): string[];
}

/**
 * An emulator of a test's own with a home folder of its own, and the real program pointed at it. `atEnd` keeps both for
 * longer than the test that asks for them.
 */
export async function emulate(
  options: EmulatorOptions = {},
  atEnd: AtEnd = onTestFinished,
): Promise<Emulated> {
  // Behind the proxies of some tests it has AWS's names.
  const emulator = await startEmulator({ answersAnyHost: true, ...options });
  atEnd(() => emulator.stop());
  const home = createHome(atEnd);
  const env = {
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_ENDPOINT_URL: emulator.url,
  };
  const merged = (more: RunOptions = {}): RunOptions => ({ ...more, env: { ...env, ...more.env } });
  return {
    emulator,
    home,
    env,
    run: (args, more) => openclaw(args, home, merged(more)),
    start: (args, more) => start(args, home, merged(more)),
    configure: (text) => writeConfig(home, text),
    routes: () => emulator.calls.map(({ route }) => route),
  };
}
