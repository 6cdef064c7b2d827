import { endpointOf, regionWithoutAsking } from "../../session/session.ts";
import { askChosenInstance } from "../../credentials/imds.ts";
import { reportCredentials } from "../../credentials/report.ts";
import { discoverySettings } from "../../config/resolve.ts";
import { surveyModels } from "../../discovery/survey.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type Fact, printFacts } from "../../terminal/fact-lines.ts";
import { count, formatAge } from "../../terminal/numbers.ts";

/** Shows the default model, where credentials and region come from, and what is cached. Asks AWS nothing. */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  const { setup, load, models } = await surveyModels(options, runtime, { offline: true });
  const { decision, config } = setup;
  const { terminal } = runtime;
  const { enabled } = discoverySettings(config.value);
  const credentials = reportCredentials(decision, await askChosenInstance(decision, runtime));
  const region = regionWithoutAsking(setup, { kind: "discovery" });
  const document = {
    defaultModel: models.find(({ tags }) => tags.includes("default"))?.key ?? null,
    fallbacks: models
      .filter(({ tags }) => tags.some((tag) => tag.startsWith("fallback#")))
      .map(({ key }) => key),
    credentials: { source: credentials.source, detail: credentials.detail },
    region: region ?? null,
    endpoint: endpointOf(setup, "bedrock-runtime", { kind: "discovery" }) ?? null,
    discovery: enabled ?? "auto",
    cache: load.discovered
      ? {
          fetchedAt: new Date(load.discovered.fetchedAt).toISOString(),
          fresh: load.source === "cache",
          count: models.length,
        }
      : null,
    config: { file: config.file, exists: config.exists },
  };
  if (terminal.format === "json") return terminal.printJson(document);
  const { dim } = await terminal.stdoutStyle();
  const cached = load.discovered
    ? `${count(models.length, "model")}, ${formatAge(runtime.now() - load.discovered.fetchedAt)} old`
    : "nothing cached";
  const rows: Fact[] = [
    [
      "default model",
      document.defaultModel ?? dim(terminal.completeCommands("not set (openclaw models set MODEL)")),
    ],
    ...document.fallbacks.map((key, index): Fact => [`fallback ${index + 1}`, key]),
    ["credentials", `${document.credentials.source}: ${document.credentials.detail}`],
    ["region", region ? `${region.value} (${region.source})` : "the instance's own"],
    [
      "endpoint",
      document.endpoint ? `${document.endpoint.url} (${document.endpoint.source})` : "the region's own",
    ],
    ["discovery", enabled === undefined ? "on when credentials are found" : enabled ? "on" : "off"],
    ["model list", cached],
    ["config", config.exists ? config.file : `${config.file} (not there yet)`],
  ];
  await printFacts(rows, terminal);
}
