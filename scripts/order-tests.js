import { existsSync } from "node:fs";
import path from "node:path";
import { BaseSequencer } from "vitest/node";

/** The files that take longest, the longest first: they begin first, so that no worker is left with one at the end. */
const LONGEST = [
  "faults/faults",
  "serve/hostile-bodies",
  "docs/examples",
  "commands/batch/jobs",
  "batch/run/kills",
  "network/connections",
  "commands/batch/run",
  "serve/matrix/responses",
  "serve/matrix/chat-completions",
  "chat/tools/wires",
  "serve/loop",
  "serve/many-streams",
  "serve/schemas",
  "serve/http2",
  "serve/matrix/messages",
  "serve/matrix/bedrock",
  "doctor/broken-machines",
  "docs/tools",
  "serve/keys/shared",
  "fuzz/lists.fuzz",
  "chat/interactive/file-mentions",
  "chat/interactive/interactive",
  "packaging/audit",
  "serve/regions",
  "commands/screens",
  "faults/signals",
  "docs/sessions",
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
