import { isRecord } from "../json.ts";
import { readFileSync } from "node:fs";
import type { Availability } from "./judge-access.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = 1;

/** What AWS said about access to one model. */
export interface AccessAnswer {
  /** Milliseconds since 1970. */
  fetchedAt: number;
  availability: Availability;
  isFormMissing: boolean;
}

/** The file beside a cached list that keeps the answers about access: as private, and of the same identity. */
export function accessFile(cacheFile: string): string {
  return cacheFile.replace(/\.json$/, ".access.json");
}

/** Reads the answers kept in a file, by model id; empty when there are none, or when what is there is none. */
export function readAccess(file: string): Map<string, AccessAnswer> {
  let entry: unknown;
  try {
    entry = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Missing, torn and unreadable come to the same: AWS is asked instead.
    return new Map();
  }
  if (!isRecord(entry) || entry["form"] !== FORM || !isRecord(entry["answers"])) return new Map();
  return new Map(
    Object.entries(entry["answers"]).filter((pair): pair is [string, AccessAnswer] => isAnswer(pair[1])),
  );
}

/** The text of a file that keeps answers. */
export function formatAccess(answers: ReadonlyMap<string, AccessAnswer>): string {
  return JSON.stringify({ form: FORM, answers: Object.fromEntries(answers) });
}

function isAnswer(value: unknown): value is AccessAnswer {
  return (
    isRecord(value) &&
    typeof value["fetchedAt"] === "number" &&
    typeof value["isFormMissing"] === "boolean" &&
    isRecord(value["availability"]) &&
    Object.values(value["availability"]).every((word) => typeof word === "string")
  );
}
