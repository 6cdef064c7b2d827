import { judgeAccess, judgeGates } from "../../discovery/judge-access.ts";
import { lookAtGates } from "../../discovery/look-at-gates.ts";
import type { ServedBy, ServedTool, ToolAnswer, ToolRequest } from "./served-tool.ts";

/** Tells whether a model can be called, and what stands in the way. */
export const checkAccessTool: ServedTool = {
  name: "check-access",
  title: "Check access to a model",
  description:
    "Tell whether this account may call a model on Amazon Bedrock, and which gates stand in the way: region, permission, agreement, form, quota. Opens none of them, and costs nothing.",
  isFree: true,
  inputSchema: {
    type: "object",
    properties: { model: { type: "string", description: "An id that list-models tells, or a name." } },
    required: ["model"],
  },
  outputSchema: {
    type: "object",
    properties: {
      model: { type: "string" },
      name: { type: "string" },
      region: { type: "string" },
      callable: { type: ["boolean", "null"], description: "null where AWS does not say." },
      gates: {
        type: "array",
        items: {
          type: "object",
          properties: {
            name: { type: "string" },
            status: { type: "string" },
            detail: { type: "string" },
          },
          required: ["name", "status", "detail"],
        },
      },
    },
    required: ["model", "name", "region", "callable", "gates"],
  },
  run: checkAccess,
};

async function checkAccess({ input, runtime }: ToolRequest, { options }: ServedBy): Promise<ToolAnswer> {
  const look = await lookAtGates(input.at("model").text(), options, runtime);
  look.session.close();
  const { name, place, asked, quota } = look;
  const gates = [...judgeGates(asked.answers, place), quota];
  const { callable } = judgeAccess(asked.answers, place);
  return {
    value: {
      model: place.modelId,
      name,
      region: place.region,
      callable: quota.status === "closed" ? false : callable,
      // What opens one is a command of the one who runs the server.
      gates: gates.map(({ name: gate, status, detail }) => ({ name: gate, status, detail })),
    },
  };
}
