import { expect, it } from "vitest";
import { explainListenFailure } from "../../src/network/listen-failure.ts";

it.each([
  ["EADDRINUSE", "Port 80 is already in use on ::1.", true],
  ["EACCES", "Port 80 needs more rights than this user has.", true],
  ["EADDRNOTAVAIL", "This machine has no address ::1.", false],
  ["ENOTFOUND", "This machine has no address ::1.", false],
  ["EAFNOSUPPORT", "This machine has no address ::1.", false],
])("says what %s means", (code, message, isHostKnown) => {
  const error = Object.assign(new Error("listen"), { code });
  expect(explainListenFailure(error, "::1", 80)).toEqual({ message, isHostKnown });
});

it("leaves other failures to others", () => {
  expect(explainListenFailure(new Error("listen"), "::1", 80)).toBeUndefined();
});
