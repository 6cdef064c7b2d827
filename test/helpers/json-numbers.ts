import * as fc from "fast-check";

const digits = fc.stringMatching(/^[1-9][0-9]{14,24}$/);

/** Numbers as JSON has them, of which JavaScript would write most in another way. */
export const NUMBER: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("0", "7", "-0", "1.0", "0.10", "1e400", "-1E+5", "1e-7", "18446744073709551615"),
  digits,
  digits.map((text) => `-${text}`),
  fc.tuple(fc.nat(), digits).map(([whole, fraction]) => `${whole}.${fraction}`),
);
