import { isIPv4 } from "node:net";

/** Whether a host name or address is this machine alone, by its name: nothing is looked up. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
