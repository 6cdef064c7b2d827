import { baseModelId } from "./base-model-id.ts";
import { isContextVariant } from "./callable.ts";
import type { Discovered } from "./discovered.ts";
import { type FamilyFacts, familyOf } from "./families.ts";
import { compareText } from "./model-order.ts";

/** How a model embeds texts; undefined for one that does not, or is not known to. */
export function embeddingOf(id: string): FamilyFacts["embedding"] {
  return familyOf(baseModelId(id)).embedding;
}

/**
 * The models of a list that embed texts. The newest first, also where nobody tells when AWS opened them: v2 is behind v1 in
 * their ids.
 */
export function embeddersIn({ models }: Pick<Discovered, "models">): { id: string; name: string }[] {
  return models
    .filter(
      ({ id, lifecycle }) => lifecycle === "ACTIVE" && embeddingOf(id) !== undefined && !isContextVariant(id),
    )
    .sort(
      (left, right) =>
        compareText(right.startOfLife ?? "", left.startOfLife ?? "") || compareText(right.id, left.id),
    );
}

/** The ids of those whose id or name has a text in it, whatever its case and punctuation. */
export function embeddersNamed(text: string, discovered: Pick<Discovered, "models">): string[] {
  const fold = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const wanted = fold(text);
  if (wanted === "") return [];
  return embeddersIn(discovered)
    .filter(({ id, name }) => [id, name].some((own) => fold(own).includes(wanted)))
    .map(({ id }) => id);
}
