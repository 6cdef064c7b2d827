/** A request the emulator knows: AWS's operation name, and the service whose credentials it takes. */
export interface Route {
  readonly name: string;
  readonly service: "bedrock" | "sts" | "imds" | "none";
  readonly parameters: Readonly<Record<string, string>>;
}

interface RoutePattern {
  name: string;
  service: Route["service"];
  method: string;
  /** `{name}` stands for one segment, percent-decoded. */
  path: string;
}

/** Methods and paths from the service models of Bedrock and Bedrock Runtime, and EC2's instance metadata paths. */
const PATTERNS: readonly RoutePattern[] = [
  { name: "ListFoundationModels", service: "bedrock", method: "GET", path: "/foundation-models" },
  { name: "GetFoundationModel", service: "bedrock", method: "GET", path: "/foundation-models/{identifier}" },
  {
    name: "GetFoundationModelAvailability",
    service: "bedrock",
    method: "GET",
    path: "/foundation-model-availability/{identifier}",
  },
  {
    name: "GetUseCaseForModelAccess",
    service: "bedrock",
    method: "GET",
    path: "/use-case-for-model-access",
  },
  { name: "ListInferenceProfiles", service: "bedrock", method: "GET", path: "/inference-profiles" },
  {
    name: "GetInferenceProfile",
    service: "bedrock",
    method: "GET",
    path: "/inference-profiles/{identifier}",
  },
  { name: "Converse", service: "bedrock", method: "POST", path: "/model/{modelId}/converse" },
  { name: "ConverseStream", service: "bedrock", method: "POST", path: "/model/{modelId}/converse-stream" },
  { name: "CountTokens", service: "bedrock", method: "POST", path: "/model/{modelId}/count-tokens" },
  { name: "ImdsToken", service: "imds", method: "PUT", path: "/latest/api/token" },
  {
    name: "ImdsRoleName",
    service: "imds",
    method: "GET",
    path: "/latest/meta-data/iam/security-credentials/",
  },
  {
    name: "ImdsCredentials",
    service: "imds",
    method: "GET",
    path: "/latest/meta-data/iam/security-credentials/{role}",
  },
  { name: "ImdsRegion", service: "imds", method: "GET", path: "/latest/meta-data/placement/region" },
  {
    name: "ImdsAvailabilityZone",
    service: "imds",
    method: "GET",
    path: "/latest/meta-data/placement/availability-zone",
  },
];

/** The names of the routes that answer. */
export const ROUTE_NAMES: readonly string[] = [...PATTERNS.map(({ name }) => name), "GetCallerIdentity"];

const COMPILED = PATTERNS.map((pattern) => ({
  pattern,
  names: [...pattern.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name),
  expression: new RegExp(`^${pattern.path.replace(/\{\w+\}/g, "([^/]+)")}$`),
}));

/**
 * Finds the route of a request. STS puts the name of the operation into the form that it is sent; a request that
 * nothing matches has the route `Unknown`.
 */
export function findRoute(method: string, path: string, body: unknown): Route {
  for (const { pattern, names, expression } of COMPILED) {
    const match = method === pattern.method ? expression.exec(path) : null;
    if (match === null) continue;
    const values = names.map((parameter, index): [string, string] => [
      parameter,
      decode(match[index + 1] ?? ""),
    ]);
    return { name: pattern.name, service: pattern.service, parameters: Object.fromEntries(values) };
  }
  if (method === "POST" && path === "/" && typeof body === "object" && body !== null && "Action" in body) {
    return { name: String(body.Action), service: "sts", parameters: {} };
  }
  if (path.startsWith("/latest/")) return { name: "ImdsOther", service: "imds", parameters: {} };
  return { name: "Unknown", service: "none", parameters: {} };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    // A broken escape names no model; it is looked up, and not found, as it stands.
    if (error instanceof URIError) return segment;
    throw error;
  }
}
