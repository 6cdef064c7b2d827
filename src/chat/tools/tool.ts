import type {
  ToolConfiguration,
  ToolResultContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { ChatEvent } from "../../converse/chat-event.ts";
import type { OpenclawError } from "../../errors.ts";
import { type JsonObject, withBase64As } from "../../json.ts";

/** Where a tool comes from, as the person is told who is asked for leave. */
export type ToolSource =
  /** Of this program; `folder` is the absolute path of the one that it stays in. */
  | { kind: "built-in"; folder?: string | undefined }
  /** A command of the settings, `tools.<name>`. */
  | { kind: "command"; command: readonly string[] }
  /** A tool of an MCP server of the settings, with its name there. */
  | { kind: "server"; server: string; tool: string };

export interface ToolResult {
  /** Texts, JSON and images, in the terms of Converse. */
  content: readonly ToolResultContentBlock[];
  /** That the tool failed, or was not run. */
  isError: boolean;
  /** What the content says, where it is not the tool that says it: its server could not be asked, or gave no answer. */
  failure?: OpenclawError | undefined;
}

/** The leave that a call needs. */
export interface Demand {
  /** What it is called in `--allow`: `shell`, `aws:write`. */
  name: string;
  /** Whether it must be named there to the letter: no pattern means it, and nobody allows it once for always. */
  isExact: boolean;
  /** Whether a person who is asked can give it; without, only `--allow` does. */
  isAsked: boolean;
  /** Why the call needs this one, completing "it …". */
  because?: string | undefined;
}

export interface Tool {
  /** What the model calls it: 1 to 64 of `a-z A-Z 0-9 _ -`, as Converse's ToolSpecification takes it. */
  name: string;
  source: ToolSource;
  description: string;
  /** A JSON Schema with `type: "object"` at its root. */
  inputSchema: JsonObject;
  /** What the settings say about running it. */
  allow?: "ask" | "always" | "never" | undefined;
  /** The leave that a call with this input needs; by default that for the tool. */
  demandOf?(input: JsonObject): Demand;
  /** What the call does, whole, for a person who is asked for leave: a command line; by default its input as JSON. */
  describe?(input: JsonObject): string;
  /**
   * Runs it. What goes wrong with the call is a result with `isError`; a signal that is aborted ends it with all that it
   * has started, and rejects with the signal's reason.
   */
  run(input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
}

export interface ToolCall {
  toolUseId: string;
  name: string;
  input: JsonObject;
}

/** What happens in a turn: the answers of the model, and what its calls come to, as lines of `--ndjson` have it. */
export type TurnEvent =
  | ChatEvent
  /** A call is complete, and about to be run. `source` is undefined for a tool that there is not. */
  | ({ type: "tool-call"; source?: ToolSource | undefined } & ToolCall)
  | ({ type: "tool-result" } & AnsweredCall);

export interface AnsweredCall {
  toolUseId: string;
  name: string;
  status: "success" | "error";
  /** That it was not run, because nobody gave leave. */
  refused?: true | undefined;
  content: readonly ToolResultContentBlock[];
  /** How long it ran, in whole ms; without the time in which a person was asked. */
  durationMs: number;
}

/** The calls in a message of a model: of the caller's tools, not of the service's own. */
export function callsIn(content: readonly { toolUse?: ToolUseBlock | undefined }[]): ToolCall[] {
  return content.flatMap(({ toolUse }) => {
    if (!toolUse || toolUse.type === "server_tool_use") return [];
    const { toolUseId = "", name = "", input } = toolUse;
    return [{ toolUseId, name, input: input as JsonObject }];
  });
}

/** A result of words alone. */
export function textResult(text: string, isError = false): ToolResult {
  return { content: [{ text: text === "" ? "(nothing)" : text }], isError };
}

/** The tools of a request, as Converse takes them; undefined where there are none, which it refuses. */
export function toToolConfig(tools: readonly Tool[]): ToolConfiguration | undefined {
  if (tools.length === 0) return undefined;
  return {
    tools: tools.map(({ name, description, inputSchema }) => ({
      toolSpec: { name, description, inputSchema: { json: inputSchema as never } },
    })),
  };
}

/** The tools that a conversation has, which may change while it goes on. */
export interface Toolbox {
  /** Those of now, in the order in which the model is given them. Rejects when a server that they are of is gone. */
  tools(): Promise<readonly Tool[]>;
  /** Ends what was started for them. */
  close(): Promise<void>;
}

/** Content as a JSON document has it: bytes in base64. */
export function contentAsJson(content: readonly ToolResultContentBlock[]): unknown[] {
  return content.map((block) => withBase64As((base64) => base64, block));
}
