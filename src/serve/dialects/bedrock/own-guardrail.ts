import type { GuardrailStreamConfiguration } from "@aws-sdk/client-bedrock-runtime";
import type { Configuration } from "../../../config/settings.ts";
import { configuredGuardrail } from "../../../converse/guardrail.ts";
import { OpenclawError } from "../../../errors.ts";
import { refused } from "../../request-field.ts";

/**
 * The guardrail of a request that is under none of the server's; undefined where the server has one, which is not replaced:
 * a request may name it, and nothing of it. Throws `access-denied` for another one, and `invalid-request` for half of one.
 */
export function ownGuardrail(
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
