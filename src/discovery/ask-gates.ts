import type { OpenclawError } from "../errors.ts";
import { leastRetention } from "../models/gates.ts";
import { askAvailability, askForm, askRetention } from "../session/model-access.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import type { AwsSession } from "../session/session.ts";
import { once } from "../once.ts";
import {
  type Availability,
  type GateAnswers,
  mayLackForm,
  readAvailability,
  whoWantsForm,
} from "./judge-access.ts";

/** What AWS answered about the gates of a model, and what kept it from answering the rest. */
export interface AskedGates {
  answers: GateAnswers;
  /** By the IAM action that was asked. */
  failures: ReadonlyMap<string, OpenclawError>;
}

/** Asks AWS about the gates of models; what holds for all of them is asked once. */
export interface GateAsker {
  /** Asks what decides whether the model can be called. Throws why its availability could not be asked. */
  ask(modelId: string): Promise<GateAnswers & { availability: Availability }>;
  /** Asks about every gate of a model, whatever decides. Throws `interrupted`; other failures are told. */
  askAll(modelId: string): Promise<AskedGates>;
}

/** The IAM actions of the questions. */
export const AVAILABILITY = "bedrock:GetFoundationModelAvailability";
const FORM = "bedrock:GetUseCaseForModelAccess";
const RETENTION = "bedrock:GetAccountDataRetention";

/** Makes an asker for one session. */
export function createGateAsker(session: AwsSession): GateAsker {
  const form = once(() => askForm(session));
  const retention = once(() => askRetention(session));
  const availabilityOf = async (modelId: string): Promise<Availability> =>
    readAvailability(await askAvailability(session, modelId));
  /** Undefined for what AWS did not answer, which `tell` hears of. */
  const answered = async <T>(
    action: string,
    asked: Promise<T>,
    tell: (error: OpenclawError) => void = () => undefined,
    modelId?: string,
  ): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (failure) {
      const error = toOpenclawError(failure, { session, action, ...(modelId !== undefined && { modelId }) });
      if (error.code === "interrupted") throw error;
      tell(error);
      return undefined;
    }
  };
  return {
    ask: async (modelId) => {
      const availability = await availabilityOf(modelId);
      const mayLack = mayLackForm(modelId, availability);
      return {
        availability,
        // A denial says nothing about the gate.
        form: mayLack ? await answered(FORM, form()) : undefined,
        retention: leastRetention(modelId) ? await answered(RETENTION, retention()) : undefined,
      };
    },
    askAll: async (modelId) => {
      const failures = new Map<string, OpenclawError>();
      const told = <T>(action: string, asked: Promise<T>): Promise<T | undefined> =>
        answered(action, asked, (error) => failures.set(action, error), modelId);
      const [availability, sent, mode] = await Promise.all([
        told(AVAILABILITY, availabilityOf(modelId)),
        whoWantsForm(modelId) !== undefined ? told(FORM, form()) : undefined,
        told(RETENTION, retention()),
      ]);
      return { answers: { availability, form: sent, retention: mode }, failures };
    },
  };
}
