import type { ContentBlock, Message, SystemContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { shorten } from "../../../errors.ts";
import { mapInTurns, turnOver } from "../../../next-turn.ts";
import { cachedBehind, toToolResult } from "../../content/cache-mark.ts";
import { readArguments } from "../../content/read-arguments.ts";
import type { JsonObject } from "../../../json.ts";
import { type ContentContext, isRemote, readAudio, readFile, readImage } from "../../content/read-files.ts";
import { toFreeformInput } from "../../content/freeform-tool.ts";
import { judgeFields } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { qualifiedName, TOOL_SEARCH } from "./client-tools.ts";
import { openSealed } from "./encrypted-reasoning.ts";
import { namesIn } from "./read-tools.ts";
import { ITEM_RULES, PART_RULES } from "./request-fields.ts";

export interface Input {
  /** What `system` and `developer` messages say, wherever they stand. */
  system: SystemContentBlock[];
  /** As they came: the request that is made of them is mended before it goes out. What one answer says is one message. */
  messages: Message[];
  /** The lists of tools that stand among the items. */
  tools: RequestField[];
  notices: string[];
}

/** Reads `input`. Throws `invalid-request`. */
export async function readInput(field: RequestField, context: ContentContext): Promise<Input> {
  if (typeof field.value === "string")
    return { system: [], messages: [say("user", [{ text: field.value }])], tools: [], notices: [] };
  const reader = new ItemReader(context);
  const items = field.parts();
  reader.know(items);
  for (const item of items) {
    await turnOver();
    await reader.read(item);
  }
  return reader.input;
}

function say(role: "user" | "assistant", content: ContentBlock[]): Message {
  return { role, content };
}

/** What a server of OpenAI's did by itself while it answered: it is in the answer, and nothing here can do it again. */
const SERVER_CALLS: ReadonlySet<unknown> = new Set([
  "code_interpreter_call",
  "file_search_call",
  "image_generation_call",
  "mcp_approval_request",
  "mcp_approval_response",
  "mcp_call",
  "mcp_list_tools",
  "program",
  "program_output",
  "web_search_call",
]);

const ITEM_TYPES =
  "message, agent_message, function_call, function_call_output, custom_tool_call, custom_tool_call_output, local_shell_call, tool_search_call, tool_search_output, additional_tools, reasoning, compaction or item_reference";

/** What OpenAI's servers encrypt begins so, and nobody else can read it: https://github.com/MetaFARS/codex-relay/issues/60 */
const OF_OPENAIS_SERVERS = /^gAAAA/;

class ItemReader {
  readonly input: Input = { system: [], messages: [], tools: [], notices: [] };
  readonly #context: ContentContext;
  readonly #ids = new Set<string>();

  constructor(context: ContentContext) {
    this.#context = context;
  }

  /** Takes down which items are in the request, for those who name them. */
  know(items: readonly RequestField[]): void {
    for (const item of items) {
      const id = item.at("id").value;
      if (typeof id === "string" && typeOf(item) !== "item_reference") this.#ids.add(id);
    }
  }

  async read(item: RequestField): Promise<void> {
    const type = typeOf(item);
    if (!SERVER_CALLS.has(type)) judgeFields(item, ITEM_RULES, this.#context.unknown);
    switch (type) {
      case "message":
        return this.#readMessage(item);
      case "function_call": {
        const input = await readArguments(item.at("arguments"), this.#context);
        return this.#call(item, this.#nameOf(item), input);
      }
      // Codex's agents among themselves: https://github.com/openai/codex/pull/26210
      case "agent_message":
        return this.#readAgentMessage(item);
      // Its output is one of a function: https://github.com/BerriAI/litellm/pull/38227
      case "local_shell_call":
        return this.#call(item, "local_shell", item.at("action").object());
      // Once it is in a history, each later turn brings it: https://github.com/openai/codex/issues/45401
      case "compaction":
      case "context_compaction":
        return this.#readCompaction(type);
      case "custom_tool_call":
        return this.#call(item, this.#nameOf(item), toFreeformInput(item.at("input").text()));
      case "function_call_output":
      case "custom_tool_call_output":
        return this.#result(item, await this.#readParts(item.at("output"), readPart));
      case "tool_search_call":
        if (!item.at("call_id").given) return this.#leaveOut(type);
        return this.#call(item, TOOL_SEARCH, await readArguments(item.at("arguments"), this.#context));
      case "tool_search_output":
        this.input.tools.push(item.at("tools"));
        if (!item.at("call_id").given) return this.#leaveOut(type);
        return this.#result(item, [{ text: tellFound(namesIn(item.at("tools"))) }]);
      case "additional_tools":
        return void this.input.tools.push(item.at("tools"));
      case "reasoning":
        return this.#readReasoning(item);
      case "item_reference":
        return this.#findItem(item.at("id"));
      default:
        if (SERVER_CALLS.has(type)) return this.#leaveOut(type);
        throw item.at("type").mustBe(ITEM_TYPES);
    }
  }

  async #readMessage(item: RequestField): Promise<void> {
    const role = item.at("role");
    const content = item.at("content");
    switch (role.value) {
      case "user":
        return void this.input.messages.push(say("user", await this.#readParts(content, readPart)));
      case "assistant":
        return this.#answer(...(await this.#readParts(content, readAnswerPart)));
      case "system":
      case "developer": {
        const parts = await this.#readParts(content, readTextPart);
        return void this.input.system.push(...parts);
      }
      default:
        throw role.mustBe("user, assistant, system or developer");
    }
  }

  async #readParts<Block extends ContentBlock>(
    field: RequestField,
    read: (part: RequestField, context: ContentContext) => Block | Promise<Block>,
  ): Promise<(Block | ContentBlock.TextMember | ContentBlock.CachePointMember)[]> {
    if (typeof field.value === "string") return [{ text: field.value }];
    const blocks = await mapInTurns(field.parts(), async (part) => {
      judgeFields(part, PART_RULES, this.#context.unknown);
      return [await read(part, this.#context), ...cachedBehind(part)];
    });
    return blocks.flat();
  }

  #nameOf(item: RequestField): string {
    return qualifiedName(item.at("name").name(), item.at("namespace").given?.name());
  }

  #call(item: RequestField, name: string, input: unknown): void {
    const toolUseId = item.at("call_id").text();
    this.#answer({ toolUse: { toolUseId, name, input } } as ContentBlock);
  }

  #result(item: RequestField, content: ContentBlock[]): void {
    this.input.messages.push(say("user", toToolResult(item.at("call_id").text(), content)));
  }

  async #readReasoning(item: RequestField): Promise<void> {
    const encrypted = item.at("encrypted_content").given?.text();
    const reasoningContent = encrypted === undefined ? undefined : await openSealed(encrypted);
    if (reasoningContent) return this.#answer({ reasoningContent });
    this.#tell("Reasoning without encrypted content of this server's is left out: no model takes it");
  }

  #readAgentMessage(item: RequestField): void {
    const [author, recipient] = [item.at("author"), item.at("recipient")].map((name) => name.given?.name());
    const said = item.at("content");
    const texts = typeof said.value === "string" ? [said.value] : said.parts().map(readAgentPart);
    const readable = texts.filter((text) => !OF_OPENAIS_SERVERS.test(text));
    if (readable.length < texts.length)
      this.#tell("What agents say to each other is left out where a server of OpenAI's has encrypted it");
    const between = [author && `from ${author}`, recipient && `to ${recipient}`].filter(Boolean).join(" ");
    const heading = `Message ${between}:`.replace(" :", ":");
    const content = [heading, ...(readable.length > 0 ? readable : ["(It cannot be read here.)"])];
    this.input.messages.push(
      say(
        "user",
        content.map((text) => ({ text })),
      ),
    );
  }

  /** The model is told that it does not know all. */
  #readCompaction(type: unknown): void {
    this.#tell(`Items of type '${String(type)}' are left out: only the server that made them can read them`);
    const text = "(What was said before was put together by another server, and cannot be read here.)";
    this.input.messages.push(say("user", [{ text }]));
  }

  #findItem(id: RequestField): void {
    const named = id.text();
    if (this.#ids.has(named)) return;
    throw id.refused(
      `Item '${shorten(named)}' is not in this request, and this server keeps no items: send the item itself. Clients that refer to items send them with their option 'store' false.`,
    );
  }

  /** What one answer says stands in items, and is one message: its reasoning goes with what follows it. */
  #answer(...content: ContentBlock[]): void {
    const last = this.input.messages.at(-1);
    if (last?.role === "assistant") for (const block of content) last.content?.push(block);
    else this.input.messages.push(say("assistant", content));
  }

  #leaveOut(type: unknown): void {
    this.#tell(`Items of type '${String(type)}' are left out: they tell what another server did by itself`);
  }

  #tell(notice: string): void {
    if (!this.input.notices.includes(notice)) this.input.notices.push(notice);
  }
}

/** What a model is told of a search for tools: those that were found are declared. */
function tellFound(names: readonly string[]): string {
  if (names.length === 0) return "No tool was found.";
  return `These tools were found, and can be called from now on: ${names.join(", ")}.`;
}

/** Messages and references may be told by what they have. */
function typeOf(item: RequestField): unknown {
  return item.at("type").given?.value ?? (item.at("role").given ? "message" : "item_reference");
}

function readPart(part: RequestField, context: ContentContext): ContentBlock | Promise<ContentBlock> {
  const type = part.at("type");
  switch (type.value) {
    case "input_text":
    case "output_text":
    case "text":
      return { text: part.at("text").text() };
    case "input_image": {
      const id = part.at("file_id").given;
      if (id) throw id.refused("Files are not kept by this server: send the image itself as 'image_url'.");
      return readImage(part.at("image_url"), context);
    }
    case "input_file": {
      const url = part.at("file_url").given;
      if (url)
        throw url.refused("Files are not fetched by this server: send the file itself as 'file_data'.");
      return readFile(part, context);
    }
    case "input_audio":
      return readAudio(part.at("input_audio"));
    default:
      throw part.refused(type.mustBe("input_text, input_image, input_file or input_audio").message);
  }
}

function readAgentPart(part: RequestField): string {
  const type = part.at("type");
  // Where the model's server encrypts nothing the text itself is there.
  if (type.value === "encrypted_content") return part.at("encrypted_content").text();
  if (type.value === "input_text" || type.value === "text") return part.at("text").text();
  throw type.mustBe("input_text or encrypted_content");
}

function readAnswerPart(part: RequestField): ContentBlock {
  const type = part.at("type");
  switch (type.value) {
    case "output_text":
    case "input_text":
    case "text":
      return { text: part.at("text").text() };
    case "refusal":
      return { text: part.at("refusal").text() };
    default:
      throw part.refused(type.mustBe("output_text or refusal").message);
  }
}

function readTextPart(part: RequestField): ContentBlock.TextMember {
  const type = part.at("type");
  if (type.value === "input_text" || type.value === "text" || type.value === "output_text")
    return { text: part.at("text").text() };
  throw part.refused(type.mustBe("input_text").message);
}

/** The URL of a part that is a remote image. */
export function imageUrlOf({ type, image_url: url }: JsonObject): string | undefined {
  return type === "input_image" && typeof url === "string" && isRemote(url) ? url : undefined;
}
