import type { Model } from "openai/resources/models";
import type { Dialect } from "../../dialect.ts";
import type { ServedModel } from "../../model-names.ts";
import { completeChat } from "./complete-chat.ts";
import { toErrorBody } from "./to-error-body.ts";

/** OpenAI's chat completions and its list of models. */
export const chatCompletions: Dialect = {
  toErrorBody,
  routes: [
    {
      method: "GET",
      path: "/v1/models",
      answer: async ({ upstream }) => {
        const data = (await upstream.servedModels()).map(toModel);
        return Response.json({ object: "list", data });
      },
    },
    {
      method: "GET",
      path: "/v1/models/:id{.+}",
      answer: async ({ upstream }, { id }) => Response.json(toModel(await upstream.servedModel(id))),
    },
    { method: "POST", path: "/v1/chat/completions", answer: completeChat },
  ],
};

function toModel({ id, created, owner }: ServedModel): Model {
  return { id, object: "model", created, owned_by: owner };
}
