import { EXIT_CODES, type ErrorCode } from "../../src/errors.ts";
import { FAULTS, type FaultGroup, type FaultRow } from "../../test/faults/fault-table.ts";
import { code, fence, page, table } from "./markdown.ts";

/** What each group is about, in a sentence. */
const GROUPS: Record<FaultGroup, string> = {
  "HTTP errors": "AWS answers with an error in place of an answer.",
  "Exceptions inside the stream": "AWS begins an answer, with status 200, and ends it with an exception.",
  "The connection": "It is refused, lost, or silent.",
  "The event stream": "What arrives in place of the answer's frames.",
  "What is not AWS's": "Somebody else answers: a proxy, a captive portal, a wrong endpoint.",
};

/** docs/faults.md: each fault that the tests try, and what every command makes of it. */
export function faultsPage(): string {
  return page(
    "# Faults",
    fence(
      "console",
      [
        "$ export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret; openclaw chat --endpoint-url http://127.0.0.1:1 -m amazon.nova-lite-v1:0 hi",
        "openclaw: Bedrock gave no answer (ECONNREFUSED): next try at once (2 of 3)",
        "openclaw: Bedrock gave no answer (ECONNREFUSED): next try at once (3 of 3)",
        "error: Nothing accepts connections at http://127.0.0.1:1.",
        "hint: Check region, endpoint and proxy: openclaw doctor --endpoint-url http://127.0.0.1:1",
      ].join("\n"),
    ),
    "What openclaw makes of everything that can break between it and a model. Each row is a test: `chat` (plain, with `--json` and with `--ndjson`), `models list` and `doctor` with its probe run against a service that breaks so. Their exit code, their error code and every byte of their answer are compared with this page, which is made from the same table. [Errors](errors.md) says what a code means.",
    "Text that arrived before a fault is on stdout, once; with `--json` it is in `error.partialText`. A failure before the first token is tried again where that may help: two attempts are allowed here, three by default (`AWS_MAX_ATTEMPTS`). After it nothing is ever tried again.",
    ...(Object.keys(GROUPS) as FaultGroup[]).flatMap((group) => [
      `## ${group}`,
      GROUPS[group],
      table(
        ["fault", "`chat`", "`models list`", "`doctor`"],
        FAULTS.filter((row) => row.group === group).map((row) => [
          inCells(row.name),
          describeChat(row),
          describe(row.list.code),
          describe(row.doctor.code),
        ]),
      ),
    ]),
  );
}

function describeChat({ chat }: FaultRow): string {
  const kept = chat.code !== undefined && chat.text !== "" ? ", after the text so far" : "";
  return `${describe(chat.code)}${kept}${chat.calls > 1 ? ", tried again" : ""}`;
}

function describe(name: ErrorCode | undefined): string {
  return name === undefined ? "works" : `${code(name)} (${EXIT_CODES[name]})`;
}

/** AWS's messages hold what Markdown would obey. */
function inCells(text: string): string {
  const [, name, message] = /^(\d+ \w+)(?:: (.*))?$/.exec(text) ?? [];
  if (name === undefined) return text;
  return message === undefined ? code(name) : `${code(name)}: ${message.replaceAll(/([`<*_])/g, "\\$1")}`;
}
