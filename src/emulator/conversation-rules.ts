import { isRecord } from "../json.ts";
import { AwsError, validationError } from "./aws-error.ts";
import type { ContentBlock, ConverseRequest } from "./converse-model.ts";

/*
 * What Converse demands of a conversation beyond the shapes of the service model, in its own words where an issue is named
 * for them. `model-rules.ts` has what models demand.
 */

/** Refuses what Converse itself does, whatever the model. Throws `AwsError` ValidationException. */
export function checkConversation({ messages, system, tools }: ConverseRequest): void {
  for (const [index, { text }] of system.entries()) {
    if (text !== undefined) checkText(text, `system.${index}`, "SystemContentBlock");
  }
  if (messages[0]?.role !== "user") {
    throw validationError(
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    );
  }
  for (const [index, { role, content }] of messages.entries()) {
    if (role === messages[index - 1]?.role) {
      throw validationError(
        "A conversation must alternate between user and assistant roles. " +
          "Make sure the conversation alternates between user and assistant roles and try again.",
      );
    }
    if (content.length === 0) {
      throw validationError(
        `The content field in the Message object at messages.${index} is empty. ` +
          "Add a ContentBlock object to the content field and try again.",
      );
    }
    for (const [position, block] of content.entries())
      checkBlock(block, role, `messages.${index}.content.${position}`);
    if (content.some(({ document }) => document) && !content.some(({ text }) => text !== undefined)) {
      throw validationError(
        "A text block must be included when using documents. Add a text block and retry your request.",
      );
    }
    if (tools === undefined && content.some(({ toolUse, toolResult }) => toolUse ?? toolResult)) {
      throw validationError(
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
      );
    }
    checkPairs(messages[index - 1]?.content ?? [], content, index);
  }
  checkDocumentNames(messages.flatMap(({ content }) => content));
  // https://github.com/aws-samples/generative-ai-use-cases/issues/1685
  if (messages.flatMap(({ content }) => content).filter(({ document }) => document).length > MOST_DOCUMENTS)
    throw validationError(`You can't include more than ${MOST_DOCUMENTS} documents in a request.`);
  for (const [index, { toolSpec }] of (tools ?? []).entries()) {
    const schema = toolSpec?.inputSchema.json;
    // https://github.com/earendil-works/pi/issues/8279
    if (toolSpec && !(isRecord(schema) && schema["type"] === "object")) {
      throw validationError(
        `The value at toolConfig.tools.${index}.toolSpec.inputSchema.json.type must be one of the following: object.`,
      );
    }
  }
}

const MOST_DOCUMENTS = 5;

function checkBlock({ text, toolUse, toolResult }: ContentBlock, role: string, path: string): void {
  if (text !== undefined) checkText(text, path, "ContentBlock");
  // https://github.com/vercel/ai/pull/19023
  if (toolUse && !isRecord(toolUse.input)) throw notAnObject(`${path}.toolUse.input`);
  if (!toolResult) return;
  if (role !== "user") throw validationError(`The toolResult block at ${path} must be in a user message.`);
  const { content, status } = toolResult;
  for (const [index, { text: said, json }] of content.entries()) {
    const at = `${path}.toolResult.content.${index}`;
    if (said !== undefined) checkText(said, at, "ContentBlock");
    // https://github.com/sigoden/aichat/pull/1550
    if (json !== undefined && !isRecord(json)) throw notAnObject(`${at}.json`);
  }
  // https://github.com/aws-samples/sample-multi-agent-orchestration-chat-on-agentcore/issues/15
  if (content.length === 0 && status === "error") {
    throw validationError(
      `The content field at ${path}.toolResult cannot be empty when status value is error.`,
    );
  }
}

function checkText(text: string, path: string, kind: string): void {
  if (text.trim() !== "") return;
  throw validationError(
    `The text field in the ${kind} object at ${path} is blank. Add text to the text field, and try again.`,
  );
}

function notAnObject(path: string): AwsError {
  return validationError(
    `The format of the value at ${path} is invalid. Provide a json object for the field and try again.`,
  );
}

function checkPairs(before: readonly ContentBlock[], content: readonly ContentBlock[], index: number): void {
  const uses = before.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
  const results = content.flatMap(({ toolResult }) => toolResult?.toolUseId ?? []);
  const place = `messages.${index}.content`;
  const twice = results.find((id, at) => results.indexOf(id) !== at);
  // https://github.com/BerriAI/litellm/issues/20048
  if (twice !== undefined)
    throw validationError(`The toolResult blocks at ${place} contain duplicate Ids: ${twice}`);
  // https://github.com/agno-agi/agno/issues/6698
  const missing = uses.filter((id) => !results.includes(id));
  if (missing.length > 0)
    throw validationError(
      `Expected toolResult blocks at ${place} for the following Ids: ${missing.join(", ")}`,
    );
  // https://github.com/pydantic/pydantic-ai/issues/2327
  if (results.length > uses.length) {
    throw validationError(
      `The number of toolResult blocks at ${place} exceeds the number of toolUse blocks of previous turn.`,
    );
  }
}

function checkDocumentNames(blocks: readonly ContentBlock[]): void {
  const documents = blocks.flatMap((block) => [block, ...(block.toolResult?.content ?? [])]);
  const names = documents.flatMap(({ document }) => document?.name ?? []);
  // https://github.com/simonw/llm-bedrock/issues/8; an underscore is accepted all the same, and other than ASCII is not:
  // https://github.com/aws-samples/generative-ai-use-cases/issues/1671
  if (names.some((name) => !/^[A-Za-z0-9_()[\] -]+$/.test(name) || name.includes("  "))) {
    throw validationError(
      "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, " +
        "and square brackets. The name can't contain more than one consecutive whitespace character. Check that the " +
        "file name conforms to these restrictions and retry your request.",
    );
  }
  // https://github.com/maximhq/bifrost/issues/7003
  if (new Set(names).size < names.length) {
    throw validationError(
      "Messages can't contain duplicate document names. Rename the document and retry your request.",
    );
  }
}
