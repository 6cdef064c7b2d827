import type { Model } from "openai/resources/models";
import { unknownModel } from "../models/resolve-model.ts";
import { aliases, type NameMap, resolveName, servedId, servedNames } from "./model-names.ts";
import type { Upstream } from "./upstream.ts";

/** OpenAI's list of models. */
interface ModelPage {
  object: "list";
  data: Model[];
}

/**
 * The models as `/v1/models` lists them: those of `models list` under their bare ids, then the names of the map and the
 * aliases of the configuration. Throws the error of the list where there is nothing to list.
 */
export async function servedModels(upstream: Upstream, names: NameMap): Promise<ModelPage> {
  const { setup, modelList } = await upstream.library();
  const { load, models } = await modelList.current();
  if (load.error && models.length === 0) throw load.error;
  // AWS does not tell when it opened each model; clients want a number.
  const created = Math.floor((load.discovered?.fetchedAt ?? 0) / 1000);
  const toModel = (id: string, owner: string): Model => ({ id, object: "model", created, owned_by: owner });
  const config = setup.config.value;
  const listed = models.map((model) => toModel(servedId(model, config), model.provider));
  const others = [...names.keys(), ...aliases(config)].map((name) => toModel(name, "openclaw"));
  const seen = new Map([...others, ...listed].map((model) => [model.id, model]));
  return { object: "list", data: [...listed, ...others].filter((model) => seen.get(model.id) === model) };
}

/** One model, by any name that a request may send. Throws `model-not-found` with the nearest names. */
export async function servedModel(upstream: Upstream, names: NameMap, name: string): Promise<Model> {
  const listed = (await servedModels(upstream, names)).data.find(({ id }) => id === name);
  if (listed) return listed;
  const { setup, modelList } = await upstream.library();
  const current = await modelList.current();
  const [model] = resolveName(name, names, setup, current);
  if (!model) throw unknownModel(name, servedNames(names, setup.config.value, current));
  return { id: name, object: "model", created: 0, owned_by: model.providerId };
}
