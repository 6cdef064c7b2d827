/** Lower case letters and digits only, so that `Mistral AI`, `mistral-ai` and `mistralai` are one word. */
function foldProvider(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/**
 * Whether a model is of one of the wanted providers, by Bedrock's provider name or by the vendor part of its id:
 * `Mistral AI`, `mistral` and `mistralai` all find `mistral.pixtral-large-2502-v1:0`. No wanted provider means all.
 */
export function matchesProvider(wanted: readonly string[], providerName: string, vendor: string): boolean {
  if (wanted.length === 0) return true;
  const names = new Set([foldProvider(providerName), foldProvider(vendor)]);
  return wanted.some((name) => names.has(foldProvider(name)));
}
