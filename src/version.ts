declare const OPENCLAW_VERSION: string | undefined;
declare const OPENCLAW_BUGS_URL: string | undefined;

/** This program's version, put in by the build; `0.0.0-source` when the sources run unbuilt, as in unit tests. */
export const VERSION: string = typeof OPENCLAW_VERSION === "string" ? OPENCLAW_VERSION : "0.0.0-source";

const bugsUrl = typeof OPENCLAW_BUGS_URL === "string" ? OPENCLAW_BUGS_URL : "package.json has the place";

/** What to do about a bug of ours, whose stack is printed below: `bugs` of package.json, put in by the build, is the place. */
export const BUG_HINT = `This is a bug in openclaw. Please report it with the lines below and the command you ran: ${bugsUrl}`;
