export function bundleModule(
  entry: string,
  outfile: string,
  options?: { format?: "cjs" | "esm"; external?: RegExp[] },
): Promise<void>;
