import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createAwsNetwork } from "../helpers/aws-network.ts";
import { emulate } from "../helpers/emulated.ts";

const MODEL = "amazon.nova-lite-v1:0";

interface Row {
  name: string;
  args?: string[];
  env?: Record<string, string>;
  /** The provider's baseUrl. */
  baseUrl?: string;
  /** models.bedrockDiscovery.region. */
  discovery?: string;
  /** The shared config file. */
  shared?: string;
  /** Credentials come from the instance, which is in this region. */
  instance?: string;
  model?: string;
  /** The model is one of the config, not only of AWS. */
  configured?: boolean;
  /** Host that is called; the emulator's own where an endpoint points there. */
  host: string;
  /** Region that is signed. */
  region: string;
}

const aws = (region: string): { host: string; region: string } => ({
  host: `bedrock-runtime.${region}.amazonaws.com:443`,
  region,
});
const baseUrl = "https://bedrock-runtime.us-west-2.amazonaws.com";

const rows: Row[] = [
  { name: "nothing at all", ...aws("us-east-1") },
  { name: "AWS_DEFAULT_REGION alone", env: { AWS_DEFAULT_REGION: "eu-west-1" }, ...aws("eu-west-1") },
  {
    name: "AWS_REGION over AWS_DEFAULT_REGION",
    env: { AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "eu-west-1" },
    ...aws("us-west-2"),
  },
  {
    name: "a blank AWS_REGION",
    env: { AWS_REGION: " ", AWS_DEFAULT_REGION: "eu-west-1" },
    ...aws("eu-west-1"),
  },
  {
    name: "the default profile's region",
    shared: "[default]\nregion = eu-central-1\n",
    ...aws("eu-central-1"),
  },
  {
    name: "the region of AWS_PROFILE",
    env: { AWS_PROFILE: "work" },
    shared: "[default]\nregion = eu-central-1\n[profile work]\nregion = ap-northeast-1\n",
    ...aws("ap-northeast-1"),
  },
  {
    name: "AWS_REGION over the profile",
    env: { AWS_REGION: "us-west-2" },
    shared: "[default]\nregion = eu-central-1\n",
    ...aws("us-west-2"),
  },
  { name: "the instance's region", instance: "eu-west-1", ...aws("eu-west-1") },
  {
    name: "AWS_REGION over the instance",
    instance: "eu-west-1",
    env: { AWS_REGION: "us-west-2" },
    ...aws("us-west-2"),
  },
  {
    name: "the discovery region over AWS_REGION",
    discovery: "eu-west-1",
    env: { AWS_REGION: "us-west-2" },
    ...aws("eu-west-1"),
  },
  {
    name: "the discovery region is not for configured models",
    discovery: "eu-west-1",
    configured: true,
    env: { AWS_REGION: "us-west-2" },
    ...aws("us-west-2"),
  },
  {
    name: "a standard baseUrl, for its configured models",
    baseUrl,
    configured: true,
    env: { AWS_REGION: "eu-west-1" },
    ...aws("us-west-2"),
  },
  {
    name: "a standard baseUrl is not for other models",
    baseUrl,
    env: { AWS_REGION: "eu-west-1" },
    ...aws("eu-west-1"),
  },
  {
    name: "--region over a standard baseUrl",
    baseUrl,
    configured: true,
    args: ["--region", "eu-west-1"],
    ...aws("eu-west-1"),
  },
  {
    name: "--region over everything in the environment",
    args: ["--region", "eu-west-1"],
    env: { AWS_REGION: "us-west-2" },
    discovery: "eu-central-1",
    ...aws("eu-west-1"),
  },
  {
    name: "the model's ARN over the discovery region and AWS_REGION",
    model: `arn:aws:bedrock:eu-west-1::foundation-model/${MODEL}`,
    discovery: "us-west-2",
    env: { AWS_REGION: "us-east-1" },
    ...aws("eu-west-1"),
  },
  { name: "a GovCloud region", env: { AWS_REGION: "us-gov-west-1" }, ...aws("us-gov-west-1") },
  {
    name: "a region in China",
    env: { AWS_REGION: "cn-north-1" },
    host: "bedrock-runtime.cn-north-1.amazonaws.com.cn:443",
    region: "cn-north-1",
  },
  {
    name: "AWS_USE_FIPS_ENDPOINT",
    env: { AWS_USE_FIPS_ENDPOINT: "true" },
    host: "bedrock-runtime-fips.us-east-1.amazonaws.com:443",
    region: "us-east-1",
  },
  {
    name: "a region of FIPS endpoints",
    env: { AWS_REGION: "fips-us-east-1" },
    host: "bedrock-runtime-fips.us-east-1.amazonaws.com:443",
    region: "us-east-1",
  },
  {
    name: "--endpoint-url",
    args: ["--endpoint-url", "EMULATOR", "--region", "eu-west-1"],
    env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" },
    host: "EMULATOR",
    region: "eu-west-1",
  },
  {
    name: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME over AWS_ENDPOINT_URL",
    env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "EMULATOR", AWS_ENDPOINT_URL: "http://127.0.0.1:1" },
    host: "EMULATOR",
    region: "us-east-1",
  },
  {
    name: "AWS_ENDPOINT_URL over baseUrl",
    env: { AWS_ENDPOINT_URL: "EMULATOR" },
    baseUrl: "http://127.0.0.1:1",
    configured: true,
    host: "EMULATOR",
    region: "us-east-1",
  },
  {
    name: "endpoint_url of the profile",
    shared: "[default]\nendpoint_url = EMULATOR\n",
    host: "EMULATOR",
    region: "us-east-1",
  },
  {
    name: "endpoint_url in the profile's services section",
    shared:
      "[default]\nservices = local\nendpoint_url = http://127.0.0.1:1\n[services local]\nbedrock_runtime =\n  endpoint_url = EMULATOR\n",
    host: "EMULATOR",
    region: "us-east-1",
  },
  {
    name: "a baseUrl that is no AWS host, with the region of the environment",
    baseUrl: "EMULATOR",
    configured: true,
    env: { AWS_REGION: "eu-west-1" },
    host: "EMULATOR",
    region: "eu-west-1",
  },
];

describe("a chat goes to the host and is signed for the region of", () => {
  it.each(rows)("$name", async (row) => {
    const emulated = await emulate({
      imds: { role: "EC2-Bedrock-Access", region: row.instance ?? "us-east-1" },
    });
    const network = await createAwsNetwork(emulated);
    const { url } = emulated.emulator;
    const fill = (text: string): string => text.replaceAll("EMULATOR", url);
    if (row.shared) {
      mkdirSync(path.join(emulated.home, ".aws"));
      writeFileSync(path.join(emulated.home, ".aws", "config"), fill(row.shared));
    }
    const provider = {
      ...(row.baseUrl ? { baseUrl: fill(row.baseUrl) } : {}),
      models: row.configured ? [{ id: MODEL }] : [],
    };
    const bedrockDiscovery = row.discovery ? { region: row.discovery } : {};
    emulated.configure(
      JSON.stringify({ models: { bedrockDiscovery, providers: { "amazon-bedrock": provider } } }),
    );
    const env = Object.fromEntries(Object.entries(row.env ?? {}).map(([name, value]) => [name, fill(value)]));
    const instance = row.instance
      ? {
          AWS_ACCESS_KEY_ID: undefined,
          AWS_SECRET_ACCESS_KEY: undefined,
          AWS_EC2_METADATA_DISABLED: undefined,
          AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
        }
      : {};
    const args = (row.args ?? []).map(fill);
    const result = await emulated.run(["chat", "-m", row.model ?? MODEL, ...args, "hi"], {
      env: {
        ...network.env,
        ...(row.host === "EMULATOR" ? { NO_PROXY: "127.0.0.1" } : {}),
        ...instance,
        ...env,
      },
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(
      emulated.emulator.calls.filter(({ route }) => route === "ConverseStream").map(({ region }) => region),
    ).toEqual([row.region]);
    expect(network.hosts).toEqual(row.host === "EMULATOR" ? [] : [row.host]);
  });
});

it("sends the lists to the control plane's host, never to baseUrl", async () => {
  const emulated = await emulate();
  const network = await createAwsNetwork(emulated);
  emulated.configure(
    '{ models: { bedrockDiscovery: { region: "eu-west-1" }, providers: { "amazon-bedrock": { baseUrl: "http://127.0.0.1:1" } } } }',
  );
  const result = await emulated.run(["models", "list", "--plain"], { env: network.env });
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(new Set(network.hosts)).toEqual(new Set(["bedrock.eu-west-1.amazonaws.com:443"]));
});

describe("a proxy", () => {
  it("is logged in to with the user and password of its URL, which are never shown", async () => {
    const emulated = await emulate();
    const network = await createAwsNetwork(emulated);
    const proxy = network.env["HTTPS_PROXY"]?.replace("http://", "http://anna:s3cret-proxy-pw@");
    const result = await emulated.run(["chat", "-v", "-m", MODEL, "hi"], {
      env: { ...network.env, HTTPS_PROXY: proxy },
    });
    expect(result.code).toBe(0);
    expect(network.logins).toEqual(["anna:s3cret-proxy-pw"]);
    expect(result.stdout + result.stderr).not.toContain("s3cret-proxy-pw");
  });

  it("that presents an unknown certificate is an error that says what to do", async () => {
    const emulated = await emulate();
    const network = await createAwsNetwork(emulated);
    const result = await emulated.run(["chat", "-m", MODEL, "hi"], {
      env: { ...network.env, AWS_CA_BUNDLE: undefined, AWS_MAX_ATTEMPTS: "1" },
    });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("AWS_CA_BUNDLE");
  });

  it("is left out for hosts in NO_PROXY", async () => {
    const emulated = await emulate();
    const network = await createAwsNetwork(emulated);
    const result = await emulated.run(["chat", "-m", MODEL, "hi"], {
      env: {
        ...network.env,
        HTTP_PROXY: "http://127.0.0.1:1",
        AWS_ENDPOINT_URL: emulated.emulator.url,
        NO_PROXY: "localhost,127.0.0.1",
      },
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });
});

it("says which file AWS_CA_BUNDLE names when it cannot be read", async () => {
  const emulated = await emulate();
  const result = await emulated.run(["chat", "-m", MODEL, "hi"], {
    env: { AWS_CA_BUNDLE: "/nowhere/ca.pem" },
  });
  expect(result.code).toBe(3);
  expect(result.stderr).toContain("/nowhere/ca.pem");
});
