// What vitest does once before its tests: they start the built program, and never an old one.
import { buildWhenStale } from "./set-up.js";

export default async function setUpTests() {
  await buildWhenStale((step) => process.stderr.write(`...  ${step}\n`));
}
