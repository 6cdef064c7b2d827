import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "rolldown/parseAst";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../src/", import.meta.url));

/** Files that may name the provider id of Amazon Bedrock, and why. Everything else asks for the API of a provider. */
const MAY_NAME_IT: Readonly<Record<string, string>> = {
  "models/provider-api.ts": "says which API a provider speaks that does not say so itself",
  "config/settings.ts": "the configuration's own names, with their descriptions",
  "config/resolve.ts": "the entry of the plugin, which has this name",
  "completion/setting-candidates.ts": "the provider that most configurations have is offered",
  "config/effective.ts": "the entry of the plugin, which has this name",
  "emulator/invoke.ts": "the fields that AWS adds to the answers of InvokeModel begin with it",
  "converse/invoke-stream.ts": "the same",
  "serve/dialects/bedrock/invoke.ts": "the same of its requests",
  "serve/dialects/bedrock/invoked-beside.ts": "the same of answers",
  "converse/guardrail.ts": "the entry of the plugin, which has this name",
  "config/path.ts": "an example of a path",
  "models/list.ts": "a model that is named without a provider is this one's",
  "models/resolve-model.ts": "a model that is named without a provider is this one's",
  "commands/models/model-table.ts": "an id that is shown without a provider is this one's",
  "commands/models/show.ts": "a model that is named without a provider is this one's",
  "completion/model-candidates.ts": "a model that is named without a provider is this one's",
  "wires/read-answer.ts": "a field of what AWS answers begins with this name",
};

/** Whether a text of the source, in quotes of any kind or as the name of a field, has the provider id in it. */
function namesProvider(source: string): boolean {
  const isNaming = (node: unknown): boolean => {
    if (typeof node === "string") return node.includes("amazon-bedrock");
    if (typeof node !== "object" || node === null) return false;
    // Whoever takes the constant names it, too.
    const isTaken = "type" in node && node.type === "ImportSpecifier" && "imported" in node;
    if (isTaken && JSON.stringify(node.imported).includes('"BEDROCK"')) return true;
    return Object.values(node).some(isNaming);
  };
  return isNaming(parseAst(source, { lang: "ts" }).body);
}

describe("the provider id of Amazon Bedrock", () => {
  test("is named only where it is meant: what depends on an API asks for the API", () => {
    const files = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => file.split(path.sep).join("/"));
    const naming = files.filter((file) => namesProvider(readFileSync(path.join(root, file), "utf8")));
    expect(naming.sort()).toEqual(Object.keys(MAY_NAME_IT).sort());
  });

  test.each([
    'models.filter(({ providerId }) => providerId === "amazon-bedrock");',
    "const key = `amazon-bedrock/${id}`;",
    'const provider = providers["amazon-bedrock"];',
    'const names = { "amazon-bedrock": "Amazon Bedrock" };',
  ])("is seen in %s", (source) => {
    expect(namesProvider(source)).toBe(true);
  });

  test.each(["// As for amazon-bedrock.\n", 'const name = "Amazon Bedrock";', "isOfBedrock(model);"])(
    "is not seen in %j",
    (source) => {
      expect(namesProvider(source)).toBe(false);
    },
  );
});
