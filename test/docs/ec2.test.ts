import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fencedBlocks, root } from "../helpers/documents.ts";
import { emulate } from "../helpers/emulated.ts";

const page = readFileSync(path.join(root, "docs", "ec2.md"), "utf8");

describe("the page on EC2", () => {
  it("shows the policy that its own lines print", async () => {
    const machine = await emulate();
    const [steps = ""] = fencedBlocks(page, "sh").slice(1);
    const lines = steps.split("\n").filter((line) => line.startsWith("openclaw "));
    expect(lines).toHaveLength(3);
    let printed = "";
    for (const line of lines) {
      const result = await machine.run(
        line
          .replace(/ > .*$/, "")
          .split(" ")
          .slice(1),
      );
      expect(result).toMatchObject({ code: 0, stderr: "" });
      printed = result.stdout;
    }
    const [shown = ""] = fencedBlocks(page, "json");
    expect(JSON.parse(shown)).toEqual(JSON.parse(printed));
  });

  it("quotes the findings of doctor as doctor words them", () => {
    const source = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(path.join(root, "src", name), "utf8"))
      .join("\n");
    const findings = [...page.matchAll(/^\| [^|]*\| `([^`]+)` \|/gm)].map(([, finding = ""]) => finding);
    expect(findings.length).toBeGreaterThan(12);
    // Names and numbers stand for those of the instance.
    const pieces = findings.flatMap((finding) =>
      finding
        .split(/…|403|EC2-Bedrock-Access|, IMDSv2|no (?:identity-based|VPC endpoint) policy/)
        .map((piece) => piece.replaceAll(/^[\s/(]+|[\s/,)]+$/g, ""))
        .filter((piece) => piece.length > 3 && piece !== "assumed-role"),
    );
    expect(pieces.filter((piece) => !source.includes(piece))).toEqual([]);
  });
});
