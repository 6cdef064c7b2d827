declare const OPENCLAW_VERSION: string | undefined;

/** This program's version, put in by the build; `0.0.0-source` when the sources run unbuilt, as in unit tests. */
export const VERSION: string = typeof OPENCLAW_VERSION === "string" ? OPENCLAW_VERSION : "0.0.0-source";
