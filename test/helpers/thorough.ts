/** Whether tests take the time for their large form: `npm test -- --thorough`. */
export const isThorough = process.env["OPENCLAW_TEST_THOROUGH"] === "1";
