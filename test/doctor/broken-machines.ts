import { expect } from "vitest";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openPty } from "../helpers/pty.ts";
import { jsonError, stsError } from "../helpers/identity-server.ts";
import { type Machine, MODEL } from "./machine.ts";

/** A machine on which something is wrong, and what a person does who follows the hint. */
export interface BrokenMachine {
  /** The name of its file in broken-machines/. */
  name: string;
  /** What is wrong, in a sentence. */
  story: string;
  /** Breaks a machine that works. */
  breaks: (machine: Machine) => void | Promise<void>;
  /** What `doctor` is asked for besides. */
  asks?: string[];
  /** Besides `doctor`, what a person runs on it. Default: chat. */
  command?: string[];
  /** What is filled in where a hint leaves a place open (`…`, `TOKEN`), which nobody but the person knows. */
  knows?: Record<string, string | ((machine: Machine) => string)>;
  /**
   * Does what a hint in prose says; `hint` is its text. Without it the hint ends in a command, which is typed, or in
   * flags, which are given from then on.
   */
  follows?: (machine: Machine, hint: string) => void | Promise<void>;
  /** It works all the same: `doctor` warns, or, where it fails, what else is run does not. */
  works?: "both" | "command" | "doctor";
}

const ROLE = "arn:aws:iam::123456789012:role/Work";
const STALE = "2020-01-01T00:00:00Z";

const SSO = [
  "[profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
  "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n",
].join("\n");

const asksIdentity = (machine: Machine, ...services: string[]): void => {
  for (const service of services) machine.env[`AWS_ENDPOINT_URL_${service}`] = machine.identity.url;
};

const onInstance = (machine: Machine): void => {
  machine.env = {
    ...machine.env,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_EC2_METADATA_DISABLED: "false",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.emulated.emulator.url,
  };
};

const secretOf = (machine: Machine): string => machine.emulated.emulator.secretAccessKey;
const port = (machine: Machine): number => machine.emulated.emulator.port;

/** Does what a hint says that matches; fails where it says something else. */
const reading =
  (pattern: RegExp, deed: (machine: Machine, ...groups: string[]) => void | Promise<void>) =>
  async (machine: Machine, hint: string): Promise<void> => {
    expect(hint).toMatch(pattern);
    await deed(machine, ...(pattern.exec(hint)?.slice(1) ?? []));
  };

/** Writes the line that a hint has into its place. */
const writing = reading(/^Write (.+) in line (\d+) of (.+)\.$/, (machine, text = "", line, file = "") =>
  machine.edit(file, new RegExp(`^((?:.*\n){${Number(line) - 1}}).*`), `$1${text}`),
);

/** Types the command that shows all that is wrong with the configuration, and does what its hint says. */
const validating =
  (pattern: RegExp, deed: (machine: Machine) => void) =>
  async (machine: Machine, hint: string): Promise<void> => {
    expect(hint).toBe("openclaw config validate");
    const { stderr } = await machine.run(hint.split(" ").slice(1));
    expect(stderr).toMatch(pattern);
    deed(machine);
  };

const CREDENTIALS: BrokenMachine[] = [
  {
    name: "no-credentials",
    story: "A new machine: nobody has given it credentials.",
    breaks: (machine) => {
      machine.env = { ...machine.env, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    },
  },
  {
    name: "half-pair-in-environment",
    story:
      "An old AWS_ACCESS_KEY_ID is left in the environment, in front of ~/.aws/credentials, which is good.",
    breaks: (machine) => {
      machine.useSharedFiles({ credentials: machine.keysOf("default") });
      machine.env["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE";
    },
  },
  {
    name: "half-pair-in-profile",
    story: "The secret of the pair in ~/.aws/credentials was not pasted.",
    breaks: (machine) => {
      machine.useSharedFiles({ credentials: machine.keysOf("work").replace(/aws_secret.*\n/, "") });
      machine.env["AWS_PROFILE"] = "work";
    },
    knows: { SECRET: secretOf, "…": secretOf },
  },
  {
    name: "profile-typo",
    story: "AWS_PROFILE is misspelt.",
    breaks: (machine) => {
      machine.useSharedFiles({ credentials: machine.keysOf("work") });
      machine.env["AWS_PROFILE"] = "wrok";
    },
  },
  {
    name: "title-without-bracket",
    story: "A title of ~/.aws/credentials has lost its bracket.",
    breaks: (machine) => machine.useSharedFiles({ credentials: machine.keysOf("default").replace("]", "") }),
    follows: writing,
  },
  {
    name: "folder-for-a-file",
    story: "~/.aws/credentials is a folder, as a container makes one for a file that was to be mounted.",
    breaks: (machine) => {
      machine.useSharedFiles({});
      mkdirSync(path.join(machine.home, ".aws", "credentials"));
    },
    follows: reading(/\.aws\/credentials/, (machine) => {
      rmSync(path.join(machine.home, ".aws", "credentials"), { recursive: true });
      machine.enterKeys("default");
    }),
  },
  {
    name: "utf-16-file",
    story: "An editor of Windows has saved ~/.aws/credentials in UTF-16.",
    breaks: (machine) => {
      machine.useSharedFiles({});
      const text = Buffer.from(`\ufeff${machine.keysOf("default")}`, "utf16le");
      writeFileSync(path.join(machine.home, ".aws", "credentials"), text);
    },
  },
  {
    name: "unknown-key",
    story: "The access key was deleted, or never was.",
    breaks: (machine) => {
      machine.env["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE";
    },
    follows: reading(/./, (machine) => {
      machine.env["AWS_ACCESS_KEY_ID"] = machine.emulated.emulator.accessKeyId;
    }),
  },
  {
    name: "wrong-secret",
    story: "The secret belongs to another key.",
    breaks: (machine) => {
      machine.env["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    },
    follows: reading(/./, (machine) => {
      machine.env["AWS_SECRET_ACCESS_KEY"] = secretOf(machine);
    }),
  },
  {
    name: "wrong-api-key",
    story: "The Bedrock API key in the environment was withdrawn.",
    breaks: (machine) => {
      machine.env["AWS_BEARER_TOKEN_BEDROCK"] = "ABSK-withdrawn";
    },
    follows: reading(/AWS_BEARER_TOKEN_BEDROCK/, (machine) => {
      machine.env["AWS_BEARER_TOKEN_BEDROCK"] = machine.emulated.emulator.bearerToken;
    }),
  },
  {
    name: "sso-expired",
    story: "Yesterday's sign-in to IAM Identity Center is over.",
    breaks: async (machine) => {
      machine.useSharedFiles({ config: SSO });
      const { writeSsoToken } = await import("../helpers/shared-files.ts");
      await writeSsoToken(machine.home, "corp", { accessToken: "old", expiresAt: STALE });
      machine.env["AWS_PROFILE"] = "work";
      asksIdentity(machine, "SSO", "SSO_OIDC", "STS");
      delete machine.env["AWS_ENDPOINT_URL_STS"];
    },
  },
  {
    name: "sso-role-not-assigned",
    story: "The profile names a role that IAM Identity Center does not give to this person.",
    breaks: async (machine) => {
      machine.useSharedFiles({ config: SSO.replace("Dev", "Admin") });
      await machine.signIn();
      machine.env["AWS_PROFILE"] = "work";
      asksIdentity(machine, "SSO");
      machine.identity.answer("GetRoleCredentials", jsonError("ForbiddenException", "No access", 403));
    },
    follows: reading(/sso_role_name/, (machine) => {
      machine.edit(".aws/config", "Admin", "Dev");
      machine.identity.forget("GetRoleCredentials");
    }),
  },
  {
    name: "role-denied",
    story: "The role of the profile does not trust the keys it is to be assumed with.",
    breaks: (machine) => {
      machine.useSharedFiles({
        config: `[profile work]\nrole_arn = ${ROLE}\nsource_profile = base\n`,
        credentials: machine.keysOf("base"),
      });
      machine.env["AWS_PROFILE"] = "work";
      asksIdentity(machine, "STS");
      machine.identity.answer(
        "AssumeRole",
        stsError(
          "AccessDenied",
          `User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
        ),
      );
    },
    follows: reading(/sts:AssumeRole/, (machine) => machine.identity.forget("AssumeRole")),
  },
  {
    name: "mfa-in-a-pipe",
    story: "The role wants a code of an MFA device, and nobody is there to type one.",
    breaks: (machine) => {
      machine.useSharedFiles({
        config: `[profile work]\nrole_arn = ${ROLE}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n`,
        credentials: machine.keysOf("base"),
      });
      machine.env["AWS_PROFILE"] = "work";
      asksIdentity(machine, "STS");
    },
    follows: reading(/Run the command in a terminal/, async (machine) => {
      const terminal = openPty(["doctor"], machine.home, { env: machine.env, columns: 120, rows: 60 });
      await terminal.see("Enter MFA code");
      terminal.type("123456\r");
      expect(await terminal.exit).toBe(0);
    }),
  },
  {
    name: "web-identity-token-missing",
    story: "The file of the web identity is not mounted.",
    breaks: (machine) => {
      machine.env = {
        ...machine.env,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_ROLE_ARN: ROLE,
        AWS_WEB_IDENTITY_TOKEN_FILE: path.join(machine.home, "token"),
      };
      asksIdentity(machine, "STS");
    },
    follows: reading(/./, (machine) => writeFileSync(path.join(machine.home, "token"), "eyJ.eyJ.sig")),
  },
  {
    name: "web-identity-half",
    story: "AWS_ROLE_ARN is set, and the variable for the token was forgotten.",
    breaks: (machine) => {
      writeFileSync(path.join(machine.home, "token"), "eyJ.eyJ.sig");
      machine.env = {
        ...machine.env,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_ROLE_ARN: ROLE,
      };
      asksIdentity(machine, "STS");
    },
    follows: reading(/Set AWS_WEB_IDENTITY_TOKEN_FILE/, (machine) => {
      machine.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = path.join(machine.home, "token");
    }),
  },
  {
    name: "container-403",
    story: "The container's endpoint refuses the token it is asked with.",
    breaks: (machine) => {
      machine.useSharedFiles({});
      machine.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = `${machine.identity.url}/container`;
      machine.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "wrong";
      machine.identity.answer("ContainerCredentials", {
        status: 403,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code: "AccessDenied", message: "Wrong token" }),
      });
    },
    follows: reading(/AWS_CONTAINER_AUTHORIZATION_TOKEN/, (machine) =>
      machine.identity.forget("ContainerCredentials"),
    ),
  },
  {
    name: "container-500",
    story: "The container's endpoint is having a bad minute.",
    breaks: (machine) => {
      machine.useSharedFiles({});
      machine.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = `${machine.identity.url}/container`;
      machine.identity.answer("ContainerCredentials", { status: 500, body: "Internal Server Error" });
    },
    follows: reading(/[Tt]ry again/, (machine) => machine.identity.forget("ContainerCredentials")),
  },
  {
    name: "instance-one-hop-too-far",
    story: "A container on EC2, whose metadata service counts one hop.",
    breaks: (machine) => {
      onInstance(machine);
      machine.metadata = "one hop too far";
    },
  },
  {
    name: "instance-without-role",
    story: "An EC2 instance to which no role is attached.",
    breaks: (machine) => {
      onInstance(machine);
      machine.metadata = "without a role";
    },
  },
  {
    name: "instance-metadata-off",
    story: "An EC2 instance whose metadata service is turned off.",
    breaks: (machine) => {
      onInstance(machine);
      machine.metadata = "turned off";
    },
  },
  {
    name: "instance-metadata-not-asked",
    story: "An EC2 instance with a role, and a variable that keeps programs from asking for it.",
    breaks: (machine) => {
      onInstance(machine);
      machine.env["AWS_EC2_METADATA_DISABLED"] = "true";
    },
  },
  {
    name: "blank-variables",
    story:
      "A script exports AWS_PROFILE from a variable that is empty, so the profile with the keys is not used.",
    breaks: (machine) => {
      machine.useSharedFiles({ credentials: machine.keysOf("work") });
      machine.env["AWS_PROFILE"] = " ";
    },
    knows: { "…": "work", NAME: "work" },
  },
  {
    name: "profile-without-the-word",
    story: "A section of ~/.aws/config is [work] and not [profile work].",
    breaks: (machine) => {
      machine.useSharedFiles({ config: machine.keysOf("work") });
      machine.env["AWS_PROFILE"] = "work";
    },
    follows: writing,
  },
  {
    name: "old-session-token",
    story: "AWS_SESSION_TOKEN of yesterday's temporary keys is left beside a key for good.",
    breaks: (machine) => {
      machine.env["AWS_SESSION_TOKEN"] = "FwoGZXIvYXdzEXAMPLE";
    },
  },
  {
    name: "no-session-token",
    story: "Temporary keys were copied without their session token.",
    breaks: (machine) => {
      machine.env = {
        ...machine.env,
        AWS_ACCESS_KEY_ID: "ASIASTSROLE000000001",
        AWS_SECRET_ACCESS_KEY: "secret",
      };
    },
    follows: reading(/AWS_SESSION_TOKEN/, (machine) => {
      machine.env["AWS_SESSION_TOKEN"] = "token";
    }),
  },
  {
    name: "clock-an-hour-slow",
    story: "The clock of this machine is an hour behind.",
    breaks: (machine) => {
      machine.clockMs = 3_600_000;
    },
    // The second try is signed by the service's clock.
    works: "command",
  },
];

const NETWORK: BrokenMachine[] = [
  {
    name: "region-no-name",
    story: "AWS_REGION lacks a hyphen.",
    breaks: (machine) => {
      machine.env["AWS_REGION"] = "us-east1";
    },
  },
  {
    name: "region-misspelt",
    story: "AWS_REGION is misspelt, and the proxy finds no such host.",
    breaks: async (machine) => {
      await machine.goThroughTheInternet();
      machine.env["AWS_REGION"] = "us-est-1";
    },
  },
  {
    name: "region-without-bedrock",
    story: "The region of the profile has no Amazon Bedrock.",
    breaks: async (machine) => {
      await machine.goThroughTheInternet();
      machine.useSharedFiles({
        config: "[profile work]\nregion = ap-east-1\n",
        credentials: machine.keysOf("work"),
      });
      machine.env = { ...machine.env, AWS_PROFILE: "work", AWS_REGION: undefined };
      machine.configure({ agents: { defaults: { model: "amazon.nova-lite-v1:0" } } });
    },
  },
  {
    name: "region-without-mantle",
    story: "The default model is at bedrock-mantle, which the region does not have.",
    breaks: async (machine) => {
      await machine.goThroughTheInternet();
      machine.env["AWS_REGION"] = "us-west-1";
      machine.configure({
        models: { providers: { "amazon-bedrock-mantle": {} } },
        agents: { defaults: { model: "amazon-bedrock-mantle/anthropic.claude-sonnet-5" } },
      });
    },
  },
  {
    name: "tool-without-program",
    story: "The program of a tool was never installed on this machine.",
    breaks: (machine) => {
      const command = ["deploy-to-staging", "--now"];
      machine.configure({
        agents: { defaults: { model: MODEL } },
        tools: { deploy: { description: "Deploys.", command, input: { type: "object" } } },
      });
    },
    knows: { "…": `'["cat"]'` },
    works: "both",
  },
  {
    name: "tool-without-schema",
    story: "The schema of a tool's input has a type that there is not.",
    breaks: (machine) => {
      const input = { type: "object", properties: { branch: { type: "text" } } };
      machine.configure({
        agents: { defaults: { model: MODEL } },
        tools: { deploy: { description: "Deploys.", command: ["cat"], input } },
      });
    },
    knows: { "…": "string" },
    works: "both",
  },
  {
    name: "mantle-denied",
    story: "No policy lets the models of bedrock-mantle be listed, and no model of its is the default.",
    breaks: (machine) => {
      machine.denied.add("bedrock-mantle:ListModels");
      machine.configure({
        models: { providers: { "amazon-bedrock-mantle": {} } },
        agents: { defaults: { model: MODEL } },
      });
    },
    command: ["models", "list", "--provider", "xai"],
    follows: reading(
      /Allow (bedrock-mantle:ListModels)/,
      (machine, action) => void machine.denied.delete(action),
    ),
    works: "both",
  },
  {
    name: "endpoint-nobody",
    story: "AWS_ENDPOINT_URL leads to a port where nobody listens any more.",
    breaks: (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
    },
    follows: reading(/AWS_ENDPOINT_URL/, (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = machine.emulated.emulator.url;
    }),
  },
  {
    name: "endpoint-of-something-else",
    story: "AWS_ENDPOINT_URL leads to a web server that has nothing to do with AWS.",
    breaks: (machine) => {
      machine.script = () => ({
        http: { status: 404, headers: { "content-type": "text/html" }, body: "<h1>404</h1>" },
      });
    },
    follows: reading(/AWS_ENDPOINT_URL/, (machine) => {
      machine.script = () => undefined;
    }),
  },
  {
    name: "endpoint-with-a-path",
    story: "AWS_ENDPOINT_URL has the path of an operation in it.",
    breaks: (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = `${machine.emulated.emulator.url}/foundation-models`;
    },
    follows: reading(/AWS_ENDPOINT_URL/, (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = machine.emulated.emulator.url;
    }),
  },
  {
    name: "endpoint-without-scheme",
    story: "AWS_ENDPOINT_URL has no http:// in front.",
    breaks: (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = `127.0.0.1:${port(machine)}`;
    },
    follows: reading(/http/, (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = machine.emulated.emulator.url;
    }),
  },
  {
    name: "proxy-nobody",
    story: "HTTPS_PROXY names a proxy that is no longer there.",
    breaks: async (machine) => {
      const { bundle } = await machine.hideBehindTls();
      machine.env = { ...machine.env, AWS_CA_BUNDLE: bundle, HTTPS_PROXY: "http://127.0.0.1:1" };
    },
    follows: reading(/HTTPS_PROXY.*NO_PROXY/, (machine) => {
      machine.env["NO_PROXY"] = "127.0.0.1";
    }),
  },
  {
    name: "proxy-wants-login",
    story: "The proxy wants a user and password.",
    breaks: async (machine) => {
      const { bundle } = await machine.hideBehindTls();
      const proxy = await machine.startProxy(({ headers }) =>
        headers["proxy-authorization"] === `Basic ${btoa("anna:s#cret")}` ? undefined : 407,
      );
      machine.env = { ...machine.env, AWS_CA_BUNDLE: bundle, HTTPS_PROXY: `http://${proxy}` };
    },
    knows: { USER: "anna", PASSWORD: "s%23cret" },
  },
  {
    name: "proxy-forbids",
    story: "The proxy lets nobody through to this host.",
    breaks: async (machine) => {
      const { bundle } = await machine.hideBehindTls();
      const proxy = await machine.startProxy(() => 403);
      machine.env = { ...machine.env, AWS_CA_BUNDLE: bundle, HTTPS_PROXY: `http://${proxy}` };
    },
    follows: reading(/NO_PROXY/, (machine) => {
      machine.env["NO_PROXY"] = "127.0.0.1";
    }),
  },
  {
    name: "proxy-password-not-encoded",
    story: "The password of the proxy has a # in it, which is not percent-encoded.",
    breaks: async (machine) => {
      const { bundle } = await machine.hideBehindTls();
      const proxy = await machine.startProxy(() => undefined);
      machine.env = { ...machine.env, AWS_CA_BUNDLE: bundle, HTTPS_PROXY: `http://anna:s#cret@${proxy}` };
    },
    follows: reading(/percent-encod|%23/i, (machine) => {
      machine.env["HTTPS_PROXY"] = machine.env["HTTPS_PROXY"]?.replace("#", "%23");
    }),
  },
  {
    name: "certificate-of-unknown-authority",
    story: "A company inspects TLS with an authority of its own, of which this machine knows nothing.",
    breaks: async (machine) => void (await machine.hideBehindTls()),
    knows: {
      "…": (machine) => path.join(machine.home, "company-ca.pem"),
      FILE: (machine) => path.join(machine.home, "company-ca.pem"),
    },
  },
  {
    name: "certificate-expired",
    story: "The certificate of the endpoint has run out.",
    breaks: async (machine) => {
      const { bundle } = await machine.hideBehindTls(new Date(Date.now() - 3_600_000));
      machine.env["AWS_CA_BUNDLE"] = bundle;
    },
    follows: reading(/renew/i, async (machine) => {
      const { bundle } = await machine.hideBehindTls();
      machine.env["AWS_CA_BUNDLE"] = bundle;
    }),
  },
  {
    name: "bundle-missing",
    story: "AWS_CA_BUNDLE names a file that is not there.",
    breaks: async (machine) => {
      await machine.hideBehindTls();
      machine.env["AWS_CA_BUNDLE"] = path.join(machine.home, "ca.pem");
    },
    follows: reading(/AWS_CA_BUNDLE/, (machine) => {
      machine.env["AWS_CA_BUNDLE"] = path.join(machine.home, "company-ca.pem");
    }),
  },
  {
    name: "secrets-in-clear",
    story: "The endpoint is http:// on another machine, and the keys have a session token.",
    breaks: async (machine) => {
      await machine.goThroughTheInternet();
      machine.env = {
        ...machine.env,
        AWS_ACCESS_KEY_ID: "ASIASTSROLE000000001",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_SESSION_TOKEN: "token",
        AWS_ENDPOINT_URL: "http://bedrock.us-east-1.amazonaws.com",
        HTTP_PROXY: machine.env["HTTPS_PROXY"],
      };
    },
    follows: reading(/Use https:\/\//, (machine) => {
      machine.env["AWS_ENDPOINT_URL"] = "https://bedrock.us-east-1.amazonaws.com";
    }),
    works: "both",
  },
];

const MODELS: BrokenMachine[] = [
  {
    name: "listing-denied",
    story: "The policy allows to call models and not to list them.",
    works: "command",
    breaks: (machine) => void machine.denied.add("bedrock:ListFoundationModels"),
    follows: reading(
      /Allow (bedrock:ListFoundationModels)/,
      (machine, action) => void machine.denied.delete(action),
    ),
  },
  {
    name: "profiles-denied",
    story: "The policy allows to list models and not inference profiles.",
    breaks: (machine) => void machine.denied.add("bedrock:ListInferenceProfiles"),
    follows: reading(
      /Allow (bedrock:ListInferenceProfiles)/,
      (machine, action) => void machine.denied.delete(action),
    ),
    works: "both",
  },
  {
    name: "calling-denied",
    story: "The policy allows to list models and not to call them.",
    asks: ["--probe"],
    breaks: (machine) => void machine.denied.add("bedrock:InvokeModelWithResponseStream"),
    follows: reading(
      /Allow (bedrock:InvokeModelWithResponseStream)/,
      (machine, action) => void machine.denied.delete(action),
    ),
  },
  {
    name: "no-model-access",
    story: "This account has no agreement for the model.",
    breaks: (machine) => {
      machine.script = ({ route }) => {
        if (route === "ConverseStream")
          return {
            error: {
              name: "AccessDeniedException",
              message: "You don't have access to the model with the specified model ID.",
            },
          };
        if (route !== "GetFoundationModelAvailability") return undefined;
        return {
          http: {
            status: 200,
            body: {
              modelId: "amazon.nova-lite-v1:0",
              agreementAvailability: { status: "NOT_AVAILABLE" },
              authorizationStatus: "NOT_AUTHORIZED",
              entitlementAvailability: "NOT_AVAILABLE",
              regionAvailability: "AVAILABLE",
            },
          },
        };
      };
    },
    follows: reading(/./, (machine) => {
      machine.script = () => undefined;
    }),
  },
  {
    name: "no-default-model",
    story: "A configuration without a default model.",
    breaks: (machine) => machine.configure("{}"),
    knows: { MODEL },
    works: "doctor",
  },
  {
    name: "default-model-misspelt",
    story: "The default model is misspelt.",
    breaks: (machine) => machine.configure({ agents: { defaults: { model: "us.amazon.nova-light-v1:0" } } }),
  },
  {
    name: "default-model-legacy",
    story: "AWS calls the default model legacy, and has closed it to this account.",
    breaks: (machine) => {
      machine.configure({ agents: { defaults: { model: "anthropic.claude-3-5-sonnet-20240620-v1:0" } } });
      machine.script = ({ route, path: place }) =>
        route === "ConverseStream" && place.includes("claude-3-5")
          ? {
              error: {
                name: "ResourceNotFoundException",
                message:
                  "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days.",
              },
            }
          : undefined;
    },
    works: "doctor",
  },
  {
    name: "default-model-of-another-geography",
    story: "The default model is called through a profile of the United States, and the region is in Europe.",
    breaks: (machine) => {
      machine.env["AWS_REGION"] = "eu-central-1";
    },
  },
];

const FILES: BrokenMachine[] = [
  {
    name: "config-not-json5",
    story: "A comma is missing in the configuration.",
    breaks: (machine) =>
      machine.configure(`{\n  agents: { defaults: { model: "${MODEL}" } }\n  models: {}\n}\n`),
    follows: validating(/Correct line 3 of/, (machine) =>
      machine.edit(machine.configFile, "}\n  models", "},\n  models"),
    ),
  },
  {
    name: "config-wrong-value",
    story: "A setting has a value that it does not take.",
    breaks: (machine) => machine.configure({ models: { bedrockDiscovery: { enabled: "maybe" } } }),
    follows: validating(/Correct line \d+ of/, (machine) =>
      machine.edit(machine.configFile, '"maybe"', "true"),
    ),
  },
  {
    name: "config-is-a-folder",
    story: "The configuration is a folder.",
    breaks: (machine) => {
      rmSync(machine.configFile);
      mkdirSync(machine.configFile);
    },
    command: ["models", "status"],
  },
  {
    name: "state-folder-read-only",
    story: "OPENCLAW_STATE_DIR names a place where nothing can be written.",
    breaks: (machine) => {
      const file = path.join(machine.home, "file");
      writeFileSync(file, "");
      machine.env = {
        ...machine.env,
        OPENCLAW_CONFIG_PATH: machine.configFile,
        OPENCLAW_STATE_DIR: path.join(file, "state"),
      };
    },
    knows: { FOLDER: (machine) => path.join(machine.home, ".openclaw") },
    works: "both",
  },
  {
    name: "filter-of-nothing",
    story: "models.bedrockDiscovery.providerFilter names a provider that AWS does not have.",
    breaks: (machine) => machine.configure({ models: { bedrockDiscovery: { providerFilter: ["amazone"] } } }),
    command: ["models", "list"],
    works: "both",
  },
];

/** Every broken machine, by what is broken. */
export const MACHINES: readonly BrokenMachine[] = [...CREDENTIALS, ...NETWORK, ...MODELS, ...FILES];
