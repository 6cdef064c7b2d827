import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";

/**
 * The body of Converse or ConverseStream, checked before, as the SDK's input: bytes, which travel as base64, are bytes
 * again.
 */
export function toConverseInput(body: unknown, modelId: string): ConverseStreamCommandInput {
  return { ...(withBytes(body) as Omit<ConverseStreamCommandInput, "modelId">), modelId };
}

/** Places where free JSON stands, in which `bytes` is a name like any other. */
const FREE_FORM: ReadonlySet<string> = new Set(["json", "input", "additionalModelRequestFields"]);

function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (name === "bytes" && typeof item === "string") return [name, Buffer.from(item, "base64")];
      return [name, FREE_FORM.has(name) ? item : withBytes(item)];
    }),
  );
}
