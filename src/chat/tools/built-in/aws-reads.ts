/*
 * Which calls of the AWS CLI only read. What is not known to do so counts as writing. The rule was held against every
 * operation of botocore 1.43 with the access levels of AWS's Service Authorization Reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/); the tests hold it against the botocore that is there.
 */

/** What operations that only read begin with. */
const READING_VERB = /^(?:(?:batch-)?(?:get|list|describe)-|head-|search-|lookup-|filter-|simulate-)/;

/** What else only reads, by service and command. */
const READING: ReadonlySet<string> = new Set([
  "configure list",
  "configure list-profiles",
  "dynamodb query",
  "dynamodb scan",
  "logs tail",
  "s3 ls",
]);

/** Words in the name of an operation that hands out what opens something. */
const SECRET_WORDS =
  /^(?:batch-)?get-(?:.*-)?(?:credentials?|passwords?|tokens?|secret-values?|login|access-keys|presigned|embed-url|stream-keys?)(?:-|$)/;

/** Operations with such a word that hand out nothing of that kind. */
const NO_SECRETS: ReadonlySet<string> = new Set([
  "iam get-account-password-policy",
  "iam get-credential-report",
  "iam get-login-profile",
]);

/** What else reveals a credential, a key, a password or an address at which anybody may write, by the models of the services. */
const REVEALING: ReadonlySet<string> = new Set([
  "amplify get-app",
  "amplify get-branch",
  "amplify list-apps",
  "amplify list-branches",
  "amplifybackend get-backend-auth",
  "appstream describe-directory-configs",
  "appsync list-api-keys",
  "athena get-session-endpoint",
  "bedrock-agentcore get-resource-api-key",
  "chime get-bot",
  "chime list-bots",
  "chime-sdk-identity describe-app-instance-user-endpoint",
  "chime-sdk-meetings get-attendee",
  "chime-sdk-meetings list-attendees",
  "cloudhsmv2 describe-clusters",
  "codepipeline get-job-details",
  "codepipeline get-third-party-job-details",
  "codepipeline list-webhooks",
  "cognito-idp describe-identity-provider",
  "cognito-idp describe-user-import-job",
  "cognito-idp describe-user-pool-client",
  "cognito-idp list-user-import-jobs",
  "cognito-idp list-user-pool-client-secrets",
  "connecthealth get-patient-insights-job",
  "dataexchange get-job",
  "dataexchange list-jobs",
  "datasync describe-location-fsx-ontap",
  "datasync describe-location-fsx-open-zfs",
  "datazone get-connection",
  "datazone list-connections",
  "directconnect describe-router-configuration",
  "directconnect describe-virtual-interfaces",
  "ds describe-directories",
  "ec2 describe-verified-access-trust-providers",
  "ec2 describe-vpn-connections",
  "ec2 get-vpn-connection-device-sample-configuration",
  "eks describe-eks-anywhere-subscription",
  "eks list-eks-anywhere-subscriptions",
  "emr-serverless get-session-endpoint",
  "finspace get-kx-connection-string",
  "finspace-data get-external-data-view-access-details",
  "firehose describe-delivery-stream",
  "gamelift get-compute-access",
  "gamelift get-instance-access",
  "gamelift get-player-connection-details",
  "glue batch-get-jobs",
  "glue get-connection",
  "glue get-connections",
  "glue get-job",
  "glue get-jobs",
  "invoicing get-procurement-portal-preference",
  "iot get-topic-rule",
  "ivs batch-get-channel",
  "ivs get-channel",
  "ivs get-stream-session",
  "ivs-realtime get-ingest-configuration",
  "ivs-realtime list-ingest-configurations",
  "kinesis-video-signaling get-ice-server-config",
  "lexv2-models describe-bot-recommendation",
  "lightsail get-instance-access-details",
  "location describe-key",
  "location list-keys",
  "mailmanager get-address-list-import-job",
  "mailmanager list-address-list-import-jobs",
  "mediapackage describe-channel",
  "mediapackage list-channels",
  "pinpoint get-baidu-channel",
  "pinpoint get-gcm-channel",
  "quicksight describe-asset-bundle-import-job",
  "s3control get-data-access",
  "storagegateway describe-chap-credentials",
  "taxsettings get-tax-registration",
  "taxsettings list-tax-registrations",
  "wafv2 list-api-keys",
  "wickr get-oidc-info",
  "wickr get-opentdf-config",
]);

/** What writes its answer into a file on this machine, the name of which is an argument of its own. */
const WRITES_FILE: ReadonlySet<string> = new Set([
  "apigateway get-export",
  "apigateway get-sdk",
  "appconfig get-configuration",
  "appconfig get-hosted-configuration-version",
  "appconfigdata get-latest-configuration",
  "appsync get-introspection-schema",
  "cloudfront get-connection-function",
  "cloudfront get-function",
  "codeartifact get-package-version-asset",
  "codeguruprofiler get-profile",
  "datazone get-lineage-event",
  "ebs get-snapshot-block",
  "gamelift get-game-session-log",
  "geo-maps get-glyphs",
  "geo-maps get-sprites",
  "geo-maps get-static-map",
  "geo-maps get-style-descriptor",
  "geo-maps get-tile",
  "glacier get-job-output",
  "iot-data get-thing-shadow",
  "iotwireless get-position-estimate",
  "iotwireless get-resource-position",
  "kinesis-video-archived-media get-clip",
  "kinesis-video-archived-media get-media-for-fragment-list",
  "kinesis-video-media get-media",
  "lakeformation get-work-unit-results",
  "location get-map-glyphs",
  "location get-map-sprites",
  "location get-map-style-descriptor",
  "location get-map-tile",
  "medialive describe-input-device-thumbnail",
  "mediastore-data get-object",
  "medical-imaging get-image-frame",
  "medical-imaging get-image-set-metadata",
  "omics get-read-set",
  "omics get-reference",
  "s3api get-object",
  "s3api get-object-torrent",
  "sagemaker-geospatial get-tile",
  "schemas get-code-binding-source",
  "tnb get-sol-function-package-content",
  "tnb get-sol-function-package-descriptor",
  "tnb get-sol-network-package-content",
  "tnb get-sol-network-package-descriptor",
  "workmailmessageflow get-raw-message-content",
]);

/** What is named like reading and changes something: it makes an identity, takes a task, or puts something somewhere. */
const CHANGING: ReadonlySet<string> = new Set([
  "cognito-identity get-id",
  "mturk get-file-upload-url",
  "security-ir get-case-attachment-upload-url",
  "socialmessaging get-whatsapp-message-media",
  "stepfunctions get-activity-task",
]);

/** Options for any command, by the number of their values. */
const PLAIN_OPTIONS: Readonly<Record<string, number>> = {
  "--cli-binary-format": 1,
  "--cli-connect-timeout": 1,
  "--cli-read-timeout": 1,
  "--color": 1,
  "--no-cli-auto-prompt": 0,
  "--no-cli-pager": 0,
  "--no-paginate": 0,
  "--no-sign-request": 0,
  "--output": 1,
  "--query": 1,
  "--region": 1,
};

/** An option that makes more of a call than its command says. */
interface Widening {
  option: string;
  /** Completes "it …". */
  why: string;
  /** The one service whose commands have it; undefined for all. */
  service?: string;
}

const WIDENING: readonly Widening[] = [
  { option: "--ca-bundle", why: "trusts other certificates" },
  { option: "--cli-auto-prompt", why: "asks at the keyboard" },
  { option: "--cli-input-json", why: "takes its parameters from elsewhere" },
  { option: "--cli-input-yaml", why: "takes its parameters from elsewhere" },
  { option: "--debug", why: "prints what signs the calls" },
  { option: "--endpoint-url", why: "sends the call to another server" },
  { option: "--include-value", why: "reveals the keys themselves", service: "apigateway" },
  { option: "--include-values", why: "reveals the keys themselves", service: "apigateway" },
  { option: "--no-verify-ssl", why: "trusts any server" },
  { option: "--profile", why: "acts as somebody else" },
  { option: "--v2-debug", why: "prints what signs the calls" },
  { option: "--with-decryption", why: "reveals secrets", service: "ssm" },
];

/** The words of a command are names of the CLI. */
const WORD = /^[a-z][a-z0-9-]*$/;

/**
 * Why a call of the AWS CLI is not one that only reads, completing "it …"; undefined where it only reads. Takes the arguments
 * behind `aws`.
 */
export function whyAwsWrites(args: readonly string[]): string | undefined {
  const read = readCommand(args);
  if (read === undefined) return "is not a command that is known to only read";
  const { service, operation, rest } = read;
  if (service === "--version" || (service === "help" && args.length === 1)) return undefined;
  const name = `${service} ${operation}`;
  // The CLI takes this word for help where it stands alone there.
  const isHelp = operation === "help" || (rest.length === 1 && rest[0] === "help");
  if (isHelp) return undefined;
  return (
    whyOptionsWiden(service, rest) ?? (printsObject(name, rest) ? undefined : whyCommandWrites(name, rest))
  );
}

function readCommand(
  args: readonly string[],
): { service: string; operation: string; rest: readonly string[] } | undefined {
  const words: string[] = [];
  const globals: string[] = [];
  let at = 0;
  for (; at < args.length && words.length < 2; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) {
      if (!WORD.test(arg)) return undefined;
      words.push(arg);
      continue;
    }
    if (arg === "--version") return { service: arg, operation: "", rest: [] };
    const [option = "", value] = splitOption(arg);
    const values = PLAIN_OPTIONS[option];
    if (values === undefined) return undefined;
    globals.push(arg);
    if (values === 1 && value === undefined) globals.push(args[++at] ?? "");
  }
  const [service, operation = ""] = words;
  if (service === undefined || (operation === "" && service !== "help")) return undefined;
  return { service, operation, rest: [...args.slice(at), ...globals] };
}

function whyCommandWrites(name: string, rest: readonly string[]): string | undefined {
  const [, operation = ""] = name.split(" ");
  if (operation === "wait") return WORD.test(rest[0] ?? "") ? undefined : "waits for nothing that has a name";
  if (WRITES_FILE.has(name)) return "writes a file on this machine";
  if (REVEALING.has(name) || (SECRET_WORDS.test(operation) && !NO_SECRETS.has(name)))
    return "reveals credentials or secrets";
  if (READING.has(name)) return undefined;
  if (!READING_VERB.test(operation) || CHANGING.has(name))
    return "is not a command that is known to only read";
  return undefined;
}

/** Whether it prints an object of Amazon S3: from an address to standard output. */
function printsObject(name: string, rest: readonly string[]): boolean {
  const [from = "", to, ...options] = rest;
  if (name !== "s3 cp" || !from.startsWith("s3://") || to !== "-") return false;
  return options.every((option, index) => {
    const before = options[index - 1] ?? "";
    return splitOption(option)[0] in PLAIN_OPTIONS || PLAIN_OPTIONS[before] === 1;
  });
}

function whyOptionsWiden(service: string, rest: readonly string[]): string | undefined {
  for (const [index, arg] of rest.entries()) {
    const isOption = arg.startsWith("--");
    const [option = "", value = arg] = isOption ? splitOption(arg) : ["", arg];
    if (arg === "--") return "has a '--' in it";
    const widening = WIDENING.find(
      (row) => (row.service ?? service) === service && isShortFor(option, row.option),
    );
    if (widening) return `${widening.why} with ${widening.option}`;
    const before = rest[index - 1] ?? "";
    // It becomes a part of the server's name.
    if (isShortFor(option, "--region") && arg.includes("=") && !WORD.test(value))
      return "has no region's name";
    if (isShortFor(before, "--region") && !WORD.test(arg)) return "has no region's name";
    if (/file(?:b)?:\/\//.test(arg)) return "reads a file of this machine";
    const isAddressOfQueue = service === "sqs" && before === "--queue-url";
    const isAddressOfTemplate = service === "cloudformation" && before === "--template-url";
    // Version 1 of the CLI fetches these: https://docs.aws.amazon.com/cli/v1/userguide/cli-usage-parameters-file.html
    if (/(?:^|@=)https?:\/\//.test(value) && !isAddressOfQueue && !isAddressOfTemplate)
      return "fetches a page of the web";
  }
  return undefined;
}

/** Whether version 1 of the CLI takes an option for this one: it need not be written out. */
function isShortFor(option: string, name: string): boolean {
  return (
    option.length > "--".length && name.startsWith(option) && !(option in PLAIN_OPTIONS && option !== name)
  );
}

/** An option and the value behind its `=`. */
function splitOption(arg: string): [string, string?] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)];
}
