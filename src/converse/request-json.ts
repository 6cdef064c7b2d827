/** The JSON of a request's body, as the SDK's client writes it: bytes as base64, everything else as it is. */
export function toRequestJson(body: object): string {
  return JSON.stringify(withBase64(body));
}

function withBase64(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(withBase64);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBase64(item)]));
}
