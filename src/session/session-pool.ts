import { parseArn } from "../aws/arn.ts";
import type { Target } from "../models/resolve-model.ts";
import { type AwsSession, openSession, type Setup } from "./session.ts";

/**
 * Keeps sessions open over several calls: their credentials are resolved and their connections made once. Whoever opens
 * a session here gets it with the set-up of the call, its signal above all.
 */
export class SessionPool {
  #setup: Setup;
  readonly #sessions = new Map<string, Promise<AwsSession>>();

  /** `setup` outlives every call. */
  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** What openSession does, but that closing it leaves it open. Throws `usage`. */
  readonly open = async (setup: Setup, target: Target): Promise<AwsSession> => {
    const session = await this.#session(target);
    return { ...session, setup, target, close: () => undefined };
  };

  /** Resolves the credentials for a target now, where that has not been done. Throws the errors of credentials/provider.ts. */
  async authenticate(target: Target): Promise<void> {
    const session = await this.#session(target);
    const authentication = await session.authentication();
    if (authentication.kind === "credentials") await authentication.credentials();
  }

  /** Closes everything and begins anew, for credentials that have changed. */
  async renew(setup: Setup): Promise<void> {
    await this.close();
    this.#setup = setup;
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) (await session).close();
  }

  async #session(target: Target): Promise<AwsSession> {
    const key = placeOf(target);
    const kept = this.#sessions.get(key) ?? openSession(this.#setup, target);
    this.#sessions.set(key, kept);
    try {
      return await kept;
    } catch (error) {
      this.#sessions.delete(key);
      throw error;
    }
  }
}

/** What of a target decides where it is called: models of one region and provider share their connections. */
function placeOf(target: Target): string {
  if (target.kind === "discovery") return target.kind;
  return [target.kind, target.providerId, parseArn(target.id)?.region ?? ""].join(" ");
}
