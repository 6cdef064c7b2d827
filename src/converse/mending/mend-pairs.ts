import type { ContentBlock, Message, ToolResultBlock } from "@aws-sdk/client-bedrock-runtime";
import { sha256Hex } from "../../aws/digest.ts";
import { ANY_TOOL_IDS, type ToolIds } from "../../models/families.ts";
import { mapInTurns } from "../../next-turn.ts";
import { ANSWER_TOOL } from "../request.ts";
import { tellCall, tellResult } from "./mend-tools.ts";
import { alternating, inOrder } from "./mend-turns.ts";
import type { Input, Mending } from "./recipient.ts";

/**
 * The results of a message's calls begin the next one, each of them once and in the order of the calls. A result that
 * comes later is brought there, a call without one gets one that says so, a result without a call is told as text.
 * Ids that the model does not take, or that came before, are replaced: always the same way, for both of a pair.
 */
export async function mendPairs(input: Input, mending: Mending): Promise<Input> {
  const messages = input.messages ?? [];
  const { resultOf, orphans } = pairUp(messages);
  const ids = new IdMaker(mending.family.toolIds ?? ANY_TOOL_IDS);
  const paired: Message[] = [];
  let results: ContentBlock[] = [];
  for (const [index, { role, content = [] }] of messages.entries()) {
    if (role === "assistant") {
      const said = await mapInTurns(content, (block): ContentBlock[] | Promise<ContentBlock[]> => {
        const { toolUse } = block;
        if (!toolUse) return [block];
        const result = resultOf.get(block)?.toolResult;
        if (!result && toolUse.name === ANSWER_TOOL) return tellCall(toolUse);
        if (!result)
          mending.tell(`A call of '${toolUse.name}' has no result, and is sent with one that says so`);
        const toolUseId = ids.idFor(toolUse.toolUseId ?? "");
        results.push({ toolResult: { ...(result ?? NO_RESULT), toolUseId } });
        return [{ toolUse: { ...toolUse, toolUseId } }];
      });
      paired.push({ role, content: said.flat() });
      // Where no message follows, its results are one.
      if (messages[index + 1]) continue;
    }
    const others = content.filter(({ toolUse }) => role === "user" && !toolUse);
    const told = await mapInTurns(others, (block): ContentBlock[] | Promise<ContentBlock[]> =>
      orphans.has(block) ? tellResult(block) : block.toolResult ? [] : [block],
    );
    paired.push({ role: "user", content: [...results, ...told.flat()] });
    results = [];
  }
  if (orphans.size > 0) mending.tell("A result of a tool that was not called is sent as text");
  const turns = alternating(paired);
  return {
    ...input,
    messages: turns.map(({ role, content = [] }) => ({
      role,
      content: role === "assistant" ? inOrder(content) : content,
    })),
  };
}

const NO_RESULT: Omit<ToolResultBlock, "toolUseId"> = { content: [{ text: "(no result)" }] };

/** Finds the result of each call: the next one of its id, which no later call has. Orphans are those that are left. */
function pairUp(messages: readonly Message[]): {
  resultOf: ReadonlyMap<ContentBlock, ContentBlock>;
  orphans: ReadonlySet<ContentBlock>;
} {
  const resultOf = new Map<ContentBlock, ContentBlock>();
  const orphans = new Set<ContentBlock>();
  /** Results that are behind the message, by their id, the nearest last. */
  const behind = new Map<string, ContentBlock[]>();
  for (const { content = [] } of messages.toReversed()) {
    for (const block of content) {
      const result = block.toolUse && behind.get(block.toolUse.toolUseId ?? "")?.pop();
      if (!result) continue;
      resultOf.set(block, result);
      orphans.delete(result);
    }
    for (const block of content.toReversed()) {
      if (!block.toolResult) continue;
      const id = block.toolResult.toolUseId ?? "";
      const sameId = behind.get(id) ?? [];
      sameId.push(block);
      behind.set(id, sameId);
      orphans.add(block);
    }
  }
  return { resultOf, orphans };
}

/** Of an id so many characters count for the one that is made of it, and its length: one may have millions. */
const COUNTED_CHARACTERS = 1000;

/** Gives each call an id that the model takes and no other call has. */
class IdMaker {
  readonly #rule: ToolIds;
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  constructor(rule: ToolIds) {
    this.#rule = rule;
  }

  idFor(id: string): string {
    const chosen = this.#rule.fits.test(id) && !this.#taken.has(id) ? id : this.#make(id);
    this.#taken.add(chosen);
    return chosen;
  }

  #make(id: string): string {
    for (;;) {
      const count = (this.#counts.get(id) ?? 0) + 1;
      this.#counts.set(id, count);
      const short = id.length <= COUNTED_CHARACTERS ? id : `${id.length} ${id.slice(0, COUNTED_CHARACTERS)}`;
      const made = sha256Hex(`${count} ${short}`).slice(0, this.#rule.length);
      if (!this.#taken.has(made)) return made;
    }
  }
}
