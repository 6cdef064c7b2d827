import type {
  ContentBlock,
  GuardrailStreamConfiguration,
  Message,
  SystemContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { Ask } from "../../converse/plan-request.ts";
import type { Configuration } from "../../config/settings.ts";
import { configuredGuardrail } from "../../converse/guardrail.ts";
import { OpenclawError } from "../../errors.ts";
import { withoutUndefined } from "../../json.ts";
import type { Asked } from "../answer-call.ts";
import type { AnswerService, RouteRequest } from "../dialect.ts";
import { type RequestField, refused } from "../request-field.ts";

/**
 * Puts a request under its guardrail, or under the server's where that has one, which nothing of a request replaces or goes
 * around: it may be named, and another one is denied. Throws `access-denied`, and `invalid-request` for half of one.
 */
export function underGuardrail<Read extends Asked>(
  asked: Read,
  given: GuardrailStreamConfiguration | undefined,
  config: Configuration,
): { asked: Read; showsGuardrail: boolean; isGuarded: boolean } {
  const servers = configuredGuardrail(config);
  const own = ownGuardrail(given, config);
  const ask = servers ? withoutMarks(asked.ask) : asked.ask;
  // Who names the server's own relies on it, too.
  const guardrail = own ?? (given && servers);
  return {
    asked: { ...asked, ask: { ...ask, guardrail } },
    showsGuardrail: own?.trace !== undefined && own.trace !== "disabled",
    isGuarded: servers !== undefined || own !== undefined,
  };
}

/**
 * Puts a request of OpenAI's or Anthropic's API under the guardrail that it names in its body, as LiteLLM's clients do, or in
 * headers, as AWS has it (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html). Throws as
 * `underGuardrail` does.
 */
export async function underNamedGuardrail<Read extends Asked>(
  { upstream }: Pick<AnswerService, "upstream">,
  { headers }: Pick<RouteRequest, "headers">,
  read: Read,
): Promise<Read> {
  const given = read.ask.guardrail ?? guardrailOfHeaders(headers);
  if (!given) return read;
  return underGuardrail(read, given, (await upstream.current()).setup.config.value).asked;
}

/** The guardrail that headers name, or half of one. */
export function guardrailOfHeaders(
  headers: Headers,
  streamProcessingMode?: string,
): GuardrailStreamConfiguration | undefined {
  const at = (name: string): string | undefined => headers.get(`x-amzn-bedrock-${name}`) ?? undefined;
  const [guardrailIdentifier, guardrailVersion] = [at("guardrailidentifier"), at("guardrailversion")];
  if (guardrailIdentifier === undefined && guardrailVersion === undefined) return undefined;
  return withoutUndefined({
    guardrailIdentifier,
    guardrailVersion,
    trace: at("trace")?.toLowerCase(),
    streamProcessingMode,
  }) as GuardrailStreamConfiguration;
}

/** The guardrail of a body, in Converse's words. Throws `invalid-request`. */
export function readGuardrail(field: RequestField): GuardrailStreamConfiguration {
  const text = (name: string): string | undefined => field.at(name).given?.text();
  return withoutUndefined({
    guardrailIdentifier: text("guardrailIdentifier"),
    guardrailVersion: text("guardrailVersion"),
    trace: field.at("trace").given?.choice(["enabled", "disabled", "enabled_full"]),
    streamProcessingMode: field.at("streamProcessingMode").given?.choice(["sync", "async"]),
  });
}

function ownGuardrail(
  given: GuardrailStreamConfiguration | undefined,
  config: Configuration,
): GuardrailStreamConfiguration | undefined {
  if (!given) return undefined;
  const { guardrailIdentifier: id, guardrailVersion: version } = given;
  if (!id || !version)
    throw refused("A guardrail has a guardrailIdentifier and a guardrailVersion.", "guardrailConfig");
  const configured = configuredGuardrail(config);
  if (!configured) return given;
  if (configured.guardrailIdentifier === id && configured.guardrailVersion === version) return undefined;
  throw new OpenclawError("access-denied", {
    message:
      "This server asks every model under a guardrail of its own, which a request cannot replace: leave 'guardrailConfig' out.",
    details: { param: "guardrailConfig" },
  });
}

/**
 * What is asked, without marks of what a guardrail is to look at: it looks at nothing else where there are some
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html), and the server's own is to look at
 * everything.
 */
function withoutMarks<Asked extends Pick<Ask, "messages" | "system">>(ask: Asked): Asked {
  const { system } = ask;
  return {
    ...ask,
    messages: ask.messages.map(({ role, content = [] }): Message => ({ role, content: content.map(plain) })),
    ...(typeof system === "object"
      ? { system: system.map((block) => plain(block) as SystemContentBlock) }
      : {}),
  };
}

function plain(block: ContentBlock | SystemContentBlock): ContentBlock {
  const { text, image } = block.guardContent ?? {};
  if (text) return { text: text.text ?? "" };
  return image
    ? { image: { format: image.format, source: image.source } as ContentBlock.ImageMember["image"] }
    : (block as ContentBlock);
}
