import data from "./aws-operations.json";
import { ROUTE_NAMES } from "./operations.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** The operations of Bedrock and Bedrock Runtime, by the service models of botocore 1.43: method and path of each. */
const OPERATIONS = Object.entries(data).map(([name, http]) => ({
  name,
  // What names no part of the path goes before what does.
  rank: http.split("{").length,
  expression: new RegExp(`^${http.replace(/\{\w+\+\}/g, ".+").replace(/\{\w+\}/g, "[^/]+")}/?$`),
}));
OPERATIONS.sort((one, other) => one.rank - other.rank);

/**
 * What a call asked for that the emulator does not have: AWS's name for it where that is known, with method and path.
 * Undefined for a call that it knows.
 */
export function unknownOperation({ route, method, path, headers }: RecordedCall): string | undefined {
  if (ROUTE_NAMES.includes(route) || route === "ImdsOther") return undefined;
  const place = `${method} ${path}`;
  const named =
    headers["x-amz-target"] ??
    (route === "Unknown" ? OPERATIONS.find(({ expression }) => expression.test(place))?.name : route);
  return named === undefined ? place : `${named} (${place})`;
}
