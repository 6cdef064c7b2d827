import { parametersOfTemplate, type Template } from "../../chat/template.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Column } from "../../terminal/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "Template" },
  { title: "Parameters", dropOrder: 1, least: 16 },
  { title: "Model", dropOrder: 2, least: 16 },
  { title: "Asks", wraps: true },
];

/** Lists the templates of the configuration, with their parameters: those that have a default with it. */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { value } = await loadConfig(options, runtime);
  const templates = Object.entries(value.templates ?? {}).map(([name, template]) =>
    Object.assign({ name }, template),
  );
  if (terminal.format === "json") {
    const documents = templates.map((template) =>
      Object.assign({ parameters: parametersOfTemplate(template) }, template),
    );
    return terminal.printJson({ count: templates.length, templates: documents });
  }
  await printList(
    {
      items: templates,
      columns: COLUMNS,
      toCells: (template, { cyan, dim }) => {
        const [name, parameters, model, asks] = fieldsOf(template);
        return [{ text: name, look: cyan }, parameters, { text: model, look: dim }, terminal.foreign(asks)];
      },
      toFields: fieldsOf,
      nothing: "No template is kept; `openclaw templates edit NAME` makes one.",
    },
    terminal,
  );
}

function fieldsOf({ name, ...template }: Template & { name: string }): [string, string, string, string] {
  const asks = (template.prompt ?? template.system ?? "").replaceAll(/\s+/g, " ").trim();
  return [name, describeParameters(template), template.model ?? "", asks];
}

function describeParameters(template: Template): string {
  const { defaults = {} } = template;
  return parametersOfTemplate(template)
    .map((name) => (Object.hasOwn(defaults, name) ? `${name}=${defaults[name]}` : name))
    .join(" ");
}
