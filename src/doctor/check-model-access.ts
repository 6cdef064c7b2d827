import { baseModelId } from "../models/base-model-id.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { judgeAccess, mayLackForm, readAvailability } from "../discovery/judge-access.ts";
import { listedBase } from "../models/listed-id.ts";
import { speaksConverse } from "../models/provider-api.ts";
import { type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, skip, warn } from "./check.ts";
import { readLists, worst } from "./check-default-model.ts";
import type { Examination } from "./examination.ts";

/** Whether the account has access to the default model and its fallbacks, and what is missing. */
export const modelAccessCheck: Check<Examination> = {
  id: "model-access",
  title: "model access",
  needs: ["default-model"],
  hint: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
  run: async (examination) => {
    const models = (await examination.models()).filter(speaksConverse);
    if (models.length === 0) return skip("no default model of Amazon Bedrock is set");
    return worst(await Promise.all(models.map((model) => examine(model, examination))));
  },
};

async function examine(model: ResolvedModel, examination: Examination): Promise<Outcome> {
  const base = await baseIdOf(model, examination);
  if (base === undefined) return skip(`the base model of ${model.id} is not known`);
  const { session } = await examination.listsFor(targetOf(model));
  const { askAvailability, lacksUseCaseForm } = await import("../session/availability.ts");
  try {
    const answer = await askAvailability(session, base);
    const isFormMissing = mayLackForm(base, readAvailability(answer)) && (await lacksUseCaseForm(session));
    return judgeAvailability(base, session.region.value, answer, isFormMissing);
  } catch (failure) {
    // Being refused an answer about the model is not being refused the model.
    const error = toOpenclawError(failure, {
      session,
      action: "bedrock:GetFoundationModelAvailability",
      modelId: base,
    });
    return warn(`access to ${base} could not be asked: ${error.message}`, error.hint);
  }
}

/** The id of the foundation model that is called in the end, by AWS's lists, else by the id; undefined where neither tells. */
async function baseIdOf(model: ResolvedModel, examination: Examination): Promise<string | undefined> {
  const { region, models, profiles = [] } = await readLists(model, examination);
  const listed =
    models &&
    listedBase(model.id, {
      region,
      fetchedAt: 0,
      models: [...models],
      profiles: [...profiles],
      warnings: [],
    });
  return listed?.id ?? baseModelId(model.id);
}

/**
 * Judges what AWS says about access to a model. An agreement that is made at the first call, or being made, only warns.
 */
export function judgeAvailability(
  id: string,
  region: string,
  answer: Parameters<typeof readAvailability>[0],
  isFormMissing: boolean,
): Outcome {
  const { status, reason, hint } = judgeAccess(readAvailability(answer), { region, isFormMissing });
  if (reason === null) return ok(`${id} in ${region}`);
  if (status === "on-first-call" || status === "pending") return warn(`${id}: ${reason}`, hint ?? undefined);
  return fail(
    new OpenclawError("model-access", {
      message: `This account has no access to '${id}' in ${region}: ${reason}.`,
      hint: hint ?? undefined,
    }),
  );
}
