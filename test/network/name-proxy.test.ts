import { expect, it } from "vitest";
import { OpenclawError } from "../../src/errors.ts";
import { nameProxy } from "../../src/network/name-proxy.ts";

const late = new OpenclawError("timeout", { message: "It took longer than 3 s.", hint: "Allow more time." });
const lost = new OpenclawError("network", { message: "Lost." });
const proxied = { HTTPS_PROXY: "http://me:secret@proxy.corp:3128" };
const URL_OF = "https://bedrock-runtime.us-east-1.amazonaws.com";

it("names the proxy that a call went through whose time is over", async () => {
  const error = await nameProxy(late, () => URL_OF, { env: proxied, isEmulated: false });
  expect(error).toMatchObject({
    code: "timeout",
    message:
      "It took longer than 3 s, and none of it has come through the proxy proxy.corp:3128 (HTTPS_PROXY).",
    hint: "Allow more time; if it stays, check HTTPS_PROXY: openclaw doctor",
  });
});

it.each([
  ["another error", lost, proxied, false],
  ["the emulator", late, proxied, true],
  ["no proxy", late, {}, false],
  ["a host that is exempt", late, { ...proxied, NO_PROXY: "amazonaws.com" }, false],
])("leaves an error as it is: %s", async (_, error, env, isEmulated) => {
  expect(await nameProxy(error, () => URL_OF, { env, isEmulated })).toBe(error);
});
