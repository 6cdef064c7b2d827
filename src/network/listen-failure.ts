import { errorCode } from "../errors.ts";

/** Why nobody can listen at an address, and whether at another port of it; undefined for a failure of another kind. */
export function explainListenFailure(
  error: unknown,
  host: string,
  port: number | undefined,
): { message: string; isHostKnown: boolean } | undefined {
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return { message: `Port ${port} is already in use on ${host}.`, isHostKnown: true };
    case "EACCES":
      return { message: `Port ${port} needs more rights than this user has.`, isHostKnown: true };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAFNOSUPPORT":
      return { message: `This machine has no address ${host}.`, isHostKnown: false };
    default:
      return undefined;
  }
}
