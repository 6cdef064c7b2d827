import { parametersOfTemplate, type Template } from "../../chat/template.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type Column, layoutTable } from "../../terminal/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "Template" },
  { title: "Parameters", dropOrder: 1 },
  { title: "Model", dropOrder: 2 },
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
  if (templates.length === 0) {
    if (terminal.isStdoutTTY) terminal.note("No template is kept; `openclaw templates edit NAME` makes one.");
    return;
  }
  const rows = templates.map((template) => [
    template.name,
    describeParameters(template),
    template.model ?? "",
    (template.prompt ?? template.system ?? "").replaceAll(/\s+/g, " ").trim(),
  ]);
  if (!terminal.isStdoutTTY) return terminal.print(rows.map((row) => row.join("\t")).join("\n"));
  const style = await terminal.stdoutStyle();
  const cells = rows.map(([name = "", parameters = "", model = "", asks = ""]) => [
    { text: name, look: style.cyan },
    parameters,
    { text: model, look: style.dim },
    terminal.foreign(asks),
  ]);
  for (const line of layoutTable(COLUMNS, cells, terminal.columns, style.bold)) await terminal.print(line);
}

function describeParameters(template: Template): string {
  const { defaults = {} } = template;
  return parametersOfTemplate(template)
    .map((name) => (Object.hasOwn(defaults, name) ? `${name}=${defaults[name]}` : name))
    .join(" ");
}
