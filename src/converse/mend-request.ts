import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { LONGEST_MESSAGE, shorten } from "../errors.ts";
import { turnOver } from "../next-turn.ts";
import { once } from "../once.ts";
import { leaveOutRefused } from "./apply-lessons.ts";
import { addHistory, digestOf } from "./mending/add-history.ts";
import { mendBlocks, mendCharacters, mendSystem } from "./mending/mend-blocks.ts";
import { mendCachePoints } from "./mending/mend-cache-points.ts";
import { leaveOutDocuments, mendDocuments, mendFiles, sayDocuments } from "./mending/mend-files.ts";
import { mendPairs } from "./mending/mend-pairs.ts";
import { mendLength, mendSampling } from "./mending/mend-sampling.ts";
import { mendTools } from "./mending/mend-tools.ts";
import { mendEnds, mendTurns, separateToolTurns } from "./mending/mend-turns.ts";
import type { Input, Mending, Recipient } from "./mending/recipient.ts";

export interface MendedRequest {
  input: Input;
  /** The newest message by itself, which the mended request may have together with others. */
  question: Message | undefined;
  /** What was changed that a person would see, for the one who asked. */
  notices: string[];
  /** The caller's names of the tools that are sent under another, by that one. */
  toolNames: ReadonlyMap<string, string>;
  /**
   * Identifies the system prompt and the tools that the answer will be given under; undefined where there are none. Made
   * when it is asked for: it takes its time, and only who keeps the answer wants it.
   */
  promptDigest(): string | undefined;
}

/** In the order in which they have to be applied: each leaves alone what an earlier one has mended. */
const RULES: readonly ((input: Input, mending: Mending) => Input | Promise<Input>)[] = [
  mendTools,
  mendSystem,
  mendFiles,
  addHistory,
  sayDocuments,
  leaveOutRefused,
  mendCharacters,
  mendBlocks,
  mendTurns,
  mendPairs,
  mendEnds,
  separateToolTurns,
  leaveOutDocuments,
  mendDocuments,
  mendCachePoints,
  mendSampling,
  mendLength,
];

/**
 * Makes a request one that the service and the model take, whatever the conversation holds: nothing else stands between
 * what was said, here or by a program, and a refusal that every later turn would meet again. What is fit stays as it is, a
 * mended request is not changed again, and the same history is mended the same way in every turn, so that it is found in
 * the prompt cache. What Converse demands is in its service model (botocore's `bedrock-runtime`), in
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html, and in the refusals that
 * `emulator/converse-request.ts` cites; what differs by model in `models/families.ts`. Of a conversation that is long others
 * have their turn between the rules, and of many tools between these. Throws `bad-attachment` for a file of what is asked now
 * that the model is known not to take.
 */
export async function mendRequest(request: Input, recipient: Recipient): Promise<MendedRequest> {
  const notices = new Set<string>();
  const toolNames = new Map<string, string>();
  const mending = {
    ...recipient,
    toolNames,
    tell: (notice: string) => void notices.add(shorten(notice, LONGEST_MESSAGE)),
  };
  let input = request;
  for (const rule of RULES) {
    const over = turnOver();
    if (over) await over;
    const mended = rule(input, mending);
    input = mended instanceof Promise ? await mended : mended;
  }
  const question = newestOf(request, input);
  return { input, question, notices: [...notices], toolNames, promptDigest: once(() => digestOf(input)) };
}

/** The newest message as it was asked, its documents under the names that the model knows them by. */
function newestOf(request: Input, mended: Input): Message | undefined {
  const newest = request.messages?.at(-1);
  if (!newest) return undefined;
  const names = (mended.messages?.at(-1)?.content ?? []).flatMap(({ document }) => document?.name ?? []);
  const content = (newest.content ?? []).toReversed().map((block): ContentBlock => {
    const { document } = block;
    return document ? { document: { ...document, name: names.pop() ?? document.name } } : block;
  });
  return { ...newest, content: content.toReversed() };
}
