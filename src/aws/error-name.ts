/**
 * What the names of one error have in common: `ThrottlingException`, `throttlingException` and
 * `com.amazon#Throttling:http://…` are one, and OAuth writes `invalid_grant`.
 */
export function stemOf(name: string): string {
  const [bare = name] = (name.split("#").at(-1) ?? name).split(":");
  return bare
    .replace(/(Exception|Error)+$/, "")
    .replaceAll("_", "")
    .toLowerCase();
}
