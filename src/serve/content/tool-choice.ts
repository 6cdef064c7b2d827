import type { Tool, ToolChoice, ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import type { RequestField } from "../request-field.ts";

/** How the model chooses among tools, by a word; undefined for `auto`. Throws `invalid-request` for another one. */
export function readMode(mode: RequestField): ToolChoice | undefined {
  if (mode.value === "auto") return undefined;
  if (mode.value === "required") return { any: {} };
  throw mode.mustBe("none, auto, required or a tool");
}

/** Tools that are declared, and how the model chooses among them where it is told. */
export function withChoice(tools: readonly Tool[], toolChoice: ToolChoice | undefined): ToolConfiguration {
  return { tools: [...tools], ...(toolChoice ? { toolChoice } : {}) };
}
