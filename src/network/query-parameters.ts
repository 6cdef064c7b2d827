/**
 * The query of an address as the SDK's requests have it: a name that stands there several times keeps every value, where
 * a plain object would keep the last.
 */
export function queryParameters(parameters: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const [first = "", ...others] = parameters.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}
