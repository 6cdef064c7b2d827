import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import type { ChatParameters, ParameterNames } from "../../config/parameters.ts";
import type { FamilyFacts } from "../../models/families.ts";
import type { InputKind } from "../../models/list.ts";
import type { Lessons } from "../apply-lessons.ts";
import type { Turn } from "../conversation.ts";

export interface Recipient {
  /** As a person knows the model, for notices. */
  modelId: string;
  family: FamilyFacts;
  /** The model's own limit for its output, in tokens. */
  mostTokens?: number | undefined;
  isReasoning: boolean;
  /** What the call itself asks for: where a model takes only one of two, it wins over what the configuration asks for. */
  asked?: ChatParameters;
  /** What notices call the parameters. */
  nameOf?: ParameterNames | undefined;
  /** The turns before, of which the model gets what it may be sent. */
  earlier?: readonly Turn[] | undefined;
  /** Whether the documents are to be cited, those of earlier turns, too; undefined leaves it to each of them. */
  cites?: boolean | undefined;
  /** Whether it can say where in a document its words are from; undefined where nobody knows. */
  canCite?: boolean | undefined;
  /** What files the model is known to take, of earlier turns, too. */
  reads?: ReadableFiles | undefined;
  /** The most documents of a request, those of earlier turns among them; undefined where nothing bounds them. */
  mostDocuments?: number | undefined;
  /** What the model refused before. Facts of its family that were learnt are in `family`. */
  lessons?: Lessons;
}

/** Which files a model takes, as far as that is known. */
export interface ReadableFiles {
  kinds: readonly InputKind[] | undefined;
  /** Whether it reads files in Amazon S3. */
  inS3: boolean | undefined;
}

export type Input = ConverseStreamCommandInput;

export interface Mending extends Recipient {
  tell: (notice: string) => void;
  toolNames: Map<string, string>;
}
