import { existsSync } from "node:fs";
import path from "node:path";
import { BaseSequencer } from "vitest/node";

/** The files that take longest, the longest first: they begin first, so that no worker is left with one at the end. */
const LONGEST = [
  "serve/hostile-bodies",
  "commands/screens",
  "docs/examples",
  "commands/batch/jobs",
  "chat/interactive/interactive",
  "network/connections",
  "serve/many-streams",
  "chat/tools/wires",
  "commands/chat-tools",
  "faults/faults",
  "faults/signals",
  "serve/keys/shared",
  "chat/interactive/interactive-tools",
  "packaging/tarball",
  "commands/batch/run",
  "doctor/broken-machines",
  "faults/inputs",
  "commands/mcp/hostile-client",
  "commands/help",
  "session/every-client",
  "network/hostile-answers",
  "commands/kept-turns",
  "chat/pacer",
  "faults/newest-commands",
  "commands/other-words",
  "commands/models-ready",
  "credentials/judged-by-status",
  "serve/http2",
  "batch/run/kills",
  "serve/schemas",
  "serve/regions",
  "serve/matrix/chat-completions",
  "docs/sessions",
  "serve/floods",
  "serve/matrix/bedrock",
  "serve/matrix/messages",
  "docs/tools",
  "serve/matrix/responses",
  "packaging/single-file",
].map((name) => path.join(import.meta.dirname, "..", "test", `${name}.test.ts`));

/** The order of the files of tests: project by project, so that places are shared, and in each the longest first. */
export default class OrderTests extends BaseSequencer {
  /**
   * @override
   * @param {import("vitest/node").TestSpecification[]} files
   */
  async sort(files) {
    for (const file of LONGEST) if (!existsSync(file)) throw new Error(`There is no ${file} any more.`);
    const sorted = await super.sort(files);
    const rank = (/** @type {import("vitest/node").TestSpecification} */ { moduleId }) => {
      const place = LONGEST.indexOf(path.normalize(moduleId));
      return place < 0 ? LONGEST.length : place;
    };
    const projects = new Set(sorted.map(({ project }) => project));
    return [...projects].flatMap((project) =>
      sorted.filter((file) => file.project === project).toSorted((one, other) => rank(one) - rank(other)),
    );
  }
}
