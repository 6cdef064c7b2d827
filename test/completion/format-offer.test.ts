import { expect, it } from "vitest";
import type { Offer } from "../../src/completion/find-candidates.ts";
import { formatForBash, formatForFish, formatForZsh } from "../../src/completion/format-offer.ts";
import { splitLine } from "../../src/completion/split-line.ts";

const BREAKS = " \t\n\"'><=;|&(:";
const files: Offer = "files";
const models: Offer = [
  { value: "a.b-v1:0", description: "Model: B" },
  { value: "a.b-v1:0:8k" },
  { value: "other" },
];
const branch: Offer = [{ value: "models.", description: "Where models\ncome from.", isBranch: true }];

it("gives bash what fits, without what stands before the last colon", () => {
  expect(formatForBash(models, splitLine("openclaw chat -m a.b-v1:", BREAKS))).toEqual(["", "0", "0:8k"]);
  expect(formatForBash(models, splitLine("openclaw chat -m a", BREAKS))).toEqual([
    "",
    "a.b-v1:0",
    "a.b-v1:0:8k",
  ]);
  expect(formatForBash(branch, splitLine("openclaw config get m", BREAKS))).toEqual(["nospace", "models."]);
  expect(formatForBash(branch, splitLine("openclaw config get x", BREAKS))).toEqual([""]);
  expect(formatForBash(files, splitLine("openclaw chat -f ", BREAKS))).toEqual(["files"]);
});

it("gives zsh everything, with colons hidden and a mark for what goes on", () => {
  expect(formatForZsh(models)).toEqual(["", " a.b-v1\\:0:Model: B", " a.b-v1\\:0\\:8k", " other"]);
  expect(formatForZsh(branch)).toEqual(["", "-models.:Where models come from."]);
  expect(formatForZsh(files)).toEqual(["files"]);
});

it("gives fish everything, with descriptions behind a tab", () => {
  expect(formatForFish(models)).toEqual(["", "a.b-v1:0\tModel: B", "a.b-v1:0:8k", "other"]);
  expect(formatForFish(files)).toEqual(["files"]);
});
