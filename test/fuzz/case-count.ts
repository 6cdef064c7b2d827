/**
 * How many cases a fuzz test makes, and from which seed: OPENCLAW_FUZZ_CASES (300 unless told otherwise) and
 * OPENCLAW_FUZZ_SEED (the time, so that each run tries others). Case n has the seed FIRST_SEED + n.
 */
export const CASES = Number(process.env["OPENCLAW_FUZZ_CASES"] ?? 300);
export const FIRST_SEED = Number(process.env["OPENCLAW_FUZZ_SEED"] ?? Date.now() % 1_000_000_000);
