import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { array, assert, asyncProperty, constantFrom, date, dictionary, option, string } from "fast-check";
import { expect, it } from "vitest";
import { HttpRequest } from "../../src/network/sdk-parts.ts";
import { Signer } from "../../src/session/signer.ts";

const REGION = "eu-central-1";

/** What a request may be made of: every character that is encoded, spaces at each end and within, dots that lead elsewhere. */
const segment = constantFrom("model", "a%3A0", "..", ".", "", "ä ö", "!'()*", "~_-", "%2F", "a=b&c", "🦞");
const text = string({ unit: "binary", maxLength: 12 });
const name = constantFrom("host", "content-type", "x-amz-meta", "user-agent", "te", "proxy-a", "sec-b", "zz");
const value = string({
  unit: constantFrom("a", "B", " ", "\t", "\r", "\n", "\u00a0", "ü", ","),
  maxLength: 9,
});

it("signs as the SDK does, whatever is asked", async () => {
  const requests = [
    constantFrom("GET", "POST", "PUT"),
    array(segment, { maxLength: 5 }),
    dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
    dictionary(name, value, { noNullPrototype: true }),
    option(text, { nil: undefined }),
    array(text, { minLength: 2, maxLength: 2 }),
    option(text, { nil: undefined }),
    date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
  ] as const;
  await assert(
    asyncProperty(
      ...requests,
      async (method, segments, query, headers, body, [id = "", secret = ""], token, at) => {
        const credentials = {
          accessKeyId: id,
          secretAccessKey: secret,
          ...(token === undefined ? {} : { sessionToken: token }),
        };
        const request = (): HttpRequest =>
          new HttpRequest({
            method,
            protocol: "https:",
            hostname: "example.com",
            path: `/${segments.join("/")}`,
            query,
            headers: { ...headers },
            body,
          });
        const scope = { region: REGION, service: "bedrock", credentials: async () => credentials };
        const theirs = await new SignatureV4({ ...scope, sha256: Sha256 }).sign(request(), {
          signingDate: at,
        });
        const signer = new Signer(scope);
        // The key that is remembered is that of the same day and secret only.
        await signer.sign(request(), { signingDate: new Date(0) });
        credentials.secretAccessKey = `${secret}!`;
        await signer.sign(request(), { signingDate: at });
        credentials.secretAccessKey = secret;
        const ours = await signer.sign(request(), { signingDate: at });
        expect(ours.headers).toEqual(theirs.headers);
        expect((await signer.sign(request(), { signingDate: at })).headers).toEqual(theirs.headers);
      },
    ),
    { numRuns: 300 },
  );
});

it("signs the digest of a body that was given one", async () => {
  const request = (): HttpRequest =>
    new HttpRequest({ method: "POST", path: "/a", headers: { "x-amz-content-sha256": "abc" }, body: "long" });
  const scope = {
    region: REGION,
    service: "bedrock",
    credentials: async () => ({ accessKeyId: "A", secretAccessKey: "b" }),
  };
  const signingDate = new Date("2026-11-28T09:00:00Z");
  const theirs = await new SignatureV4({ ...scope, sha256: Sha256 }).sign(request(), { signingDate });
  expect((await new Signer(scope).sign(request(), { signingDate })).headers).toEqual(theirs.headers);
});
