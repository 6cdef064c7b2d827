import { describe, expect, it } from "vitest";
import { hideKeyIds, maskKeyId, redactSecrets } from "../../src/credentials/mask.ts";

describe("what may be shown", () => {
  it.each([
    ["AKIAIOSFODNN7EXAMPLE", "AKIA…MPLE"],
    ["ASIA12345678WXYZ", "ASIA…WXYZ"],
    ["short", "…"],
    ["", "…"],
  ])("of the key id %j is %j", (id, shown) => expect(maskKeyId(id)).toBe(shown));

  it.each([
    ["failed: token wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is bad", "failed: token … is bad"],
    ["AKIAIOSFODNN7EXAMPLE:x", "…:x"],
    ["cannot read /home/someone/.config/token-2", "cannot read /home/someone/.config/token-2"],
    ["please authenticate with administrator-account", "please authenticate with administrator-account"],
    ["session=IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD", "…"],
  ])("of %j is %j", (text, shown) => expect(redactSecrets(text)).toBe(shown));

  it("of AWS's own words is everything but key ids", () => {
    expect(
      hideKeyIds(
        "User: arn:aws:sts::123456789012:assumed-role/R/i-0123456789abcdef0 with AKIAIOSFODNN7EXAMPLE",
      ),
    ).toBe("User: arn:aws:sts::123456789012:assumed-role/R/i-0123456789abcdef0 with AKIA…MPLE");
  });
});
