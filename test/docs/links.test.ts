import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readPages, root } from "../helpers/documents.ts";

/** The anchors of a page, as GitHub makes them from its headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

const pages = readPages();
const textOf = new Map(pages.map(({ page, text }) => [path.join(root, page), text]));

test.each(pages)("$page links to what is there", ({ page, text }) => {
  const prose = text
    .replaceAll(/^```[^]*?^```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, (inline) => (inline.includes("](") ? "" : inline));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^https?:/.test(link));
  const broken = links.filter((link) => {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path.join(root, page) : path.join(root, path.dirname(page), file);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchors(textOf.get(target) ?? "").includes(anchor);
  });
  expect(broken).toEqual([]);
});
