import type { TLSSocket } from "node:tls";
import { withoutBrackets } from "../loopback.ts";
import { nextTurn } from "../next-turn.ts";
import type { Runtime } from "../runtime.ts";
import type { NamedProfile } from "./certificates.ts";
import { namesProxy } from "./names-proxy.ts";

/**
 * Connections that are opened while it is still being worked out what goes through them: TCP and TLS take two round trips,
 * and the program itself takes as long to load. Nothing is sent but the handshake. Who connects to the same place takes one
 * of them; what nobody takes is closed.
 */
export class ConnectionsAhead {
  readonly #opening = new Map<string, Set<Promise<TLSSocket>>>();
  /** Whether the first connection to a place has come about. */
  readonly #reached = new Map<string, Promise<boolean>>();

  /**
   * Begins to open so many more to an https:// URL, trusting what the environment and the profile in force name. Resolves when
   * whoever is near has been greeted, before the rest of the program is loaded in one go. Does nothing for other URLs, inside
   * the emulator and where there may be a proxy in between.
   */
  async open(
    endpoint: string,
    count: number,
    { env, isEmulated }: Pick<Runtime, "env" | "isEmulated">,
    profile: NamedProfile | undefined,
  ): Promise<void> {
    if (!endpoint.startsWith("https:") || isEmulated || namesProxy(env)) return;
    const trust = async (): Promise<Buffer | undefined> => {
      const { decideCaBundle, readCertificates } = await import("./certificates.ts");
      const bundle = decideCaBundle(env, profile);
      return bundle && readCertificates(bundle);
    };
    const url = new URL(endpoint);
    const host = withoutBrackets(url.hostname);
    const port = Number(url.port || 443);
    const place = placeOf(host, port);
    const openings = this.#opening.get(place) ?? new Set();
    this.#opening.set(place, openings);
    for (let begun = 0; begun < count; begun++) {
      const opening = connect(host, port, trust);
      openings.add(opening);
      const forget = (): void => void openings.delete(opening);
      // Who takes it hears of its failure; else it is nobody's.
      opening.then((socket) => socket.once("close", forget), forget);
      if (this.#reached.has(place)) continue;
      const isReached = opening.then(
        () => true,
        () => false,
      );
      this.#reached.set(place, isReached);
    }
    for (let turn = 0; turn < 2; turn++) await nextTurn();
  }

  /** A connection to a place; undefined where none was opened, or its other side has closed it. */
  take(host: string, port: number): Promise<TLSSocket> | undefined {
    const openings = this.#opening.get(placeOf(withoutBrackets(host), port));
    const [first] = openings ?? [];
    if (first) openings?.delete(first);
    return first;
  }

  /** Resolves to whether the first connection to an https:// URL has come about; false where none was opened. */
  async hasReached(endpoint: string): Promise<boolean> {
    const { hostname, port } = new URL(endpoint);
    return (await this.#reached.get(placeOf(withoutBrackets(hostname), Number(port || 443)))) ?? false;
  }

  close(): void {
    for (const openings of this.#opening.values())
      for (const opening of openings) opening.then((socket) => socket.destroy()).catch(() => undefined);
    this.#opening.clear();
  }
}

function placeOf(host: string, port: number): string {
  return `${host} ${port}`;
}

/** TCP first, which needs the least of Node: the rest is loaded meanwhile. Rejects with Node's errors. */
async function connect(
  host: string,
  port: number,
  trust: () => Promise<Buffer | undefined>,
): Promise<TLSSocket> {
  const { connect: connectTcp } = await import("node:net");
  const tcp = connectTcp({ host, port });
  const failed = new Promise<never>((_, reject) => tcp.once("error", reject));
  failed.catch(() => undefined);
  const [{ secure }, ca] = await Promise.race([Promise.all([import("./secure.ts"), trust()]), failed]);
  return secure(tcp, host, ca);
}
