import { stemOf } from "../aws/error-name.ts";
import { capitalize, type ErrorCode } from "../errors.ts";
import { SET_CLOCK } from "../network/clock-skew.ts";
import { checkAnswerer } from "../network/network-errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { adviseDenial, type Denial, describeDenial } from "./denial.ts";
import {
  accessCommand,
  type GateName,
  openingOf,
  RETENTION_MODES,
  retentionNeeded,
} from "../models/gates.ts";

/** What a row may put into its words. Everything here is safe to print. */
export interface ErrorContext {
  /** AWS's own message. */
  message: string;
  /** The model that was called, as it was sent. */
  modelId?: string | undefined;
  region?: string | undefined;
  jobName?: string | undefined;
  /** The bucket of Amazon S3 that was called. */
  bucket?: string | undefined;
  /** The account that the bucket has to belong to, as somebody has said. */
  bucketOwner?: string | undefined;
  /** The service that answered, where that is not Amazon Bedrock. */
  service?: string | undefined;
  /** The IAM action that was tried, for example `bedrock:ListFoundationModels`. */
  action?: string | undefined;
  /** Where the credentials came from, in words. */
  credentials?: string | undefined;
  /** How to get fresh credentials from that source, as a command where there is one. */
  renewal?: string | undefined;
  /** What AWS's denial says about itself. */
  denial?: Denial | undefined;
  /** Who answered, as a URL or in words. */
  endpoint?: string | undefined;
  /** Who named that endpoint; undefined for the region's own. */
  endpointSource?: string | undefined;
  /** The HTTP status of the answer. */
  status?: number | undefined;
  /** How far this machine's clock is off, by the date of the answer: " 62 minutes fast". */
  skew?: string | undefined;
  /** The host that a redirect leads to. */
  location?: string | undefined;
}

/** One kind of failed answer, and what this program makes of it. */
export interface ErrorRow {
  /**
   * Error names as AWS sends them, without namespace; the words `Exception` and `Error` at the end do not count. Empty
   * for answers that carry no name of AWS: those go by `status`.
   */
  names: readonly string[];
  /** The HTTP status that comes with it, or the first and the last one. For a named error it is there to be read only. */
  status: number | readonly [number, number];
  /** Only when AWS's message matches: ValidationException and others give nothing else to go by. */
  pattern?: RegExp;
  /** Only for IAM actions that match: of others the same words tell something else. */
  actions?: RegExp;
  code: ErrorCode;
  /** What is closed between the account and the model, where that is told. */
  gate?: GateName;
  message: (context: ErrorContext) => string;
  hint: (context: ErrorContext) => string;
}

/** What most refusals of a request are: ValidationException, and nothing but its message tells them apart. */
const VALIDATION = { names: ["Validation"], status: 400 } as const;
/** By which names AWS tells that a model, or all of them, are closed to an account. */
const CLOSED_MODEL = {
  names: ["AccessDenied", "ResourceNotFound", "Validation"],
  status: [400, 404],
} as const;
const CLOSED_ACCOUNT = { names: ["AccessDenied", "Validation"], status: [400, 403] } as const;

const model = ({ modelId }: ErrorContext): string => (modelId ? `model '${modelId}'` : "the model");
const Model = (context: ErrorContext): string => capitalize(model(context));
const inRegion = ({ region }: ErrorContext): string => (region ? ` in ${region}` : "");
const renew = ({ renewal }: ErrorContext): string => renewal ?? "Run: openclaw doctor";
const from = ({ credentials }: ErrorContext): string => (credentials ? ` from ${credentials}` : "");
const endpoint = (context: ErrorContext): string => context.endpoint ?? "The endpoint";
const said = ({ message }: ErrorContext): string =>
  message === "" ? " with something that is not AWS's." : `: ${message}`;

const bucket = ({ bucket: name }: ErrorContext): string => (name ? `the bucket '${name}'` : "the bucket");
const s3Uri = ({ bucket: name = "BUCKET" }: ErrorContext): string => quoteForShell(`s3://${name}`);
const KMS_NAMES = [
  "KMS.NotFound",
  "KMS.Disabled",
  "KMS.KMSInvalidState",
  "KMS.InvalidKeyUsage",
  "KMS.KeyUnavailable",
];
/** Other services have errors of these names, too. */
const OF_S3 = /^s3:/;
const REFUSED_BY_S3 = { actions: OF_S3, code: "invalid-request" } as const;
const CREATE_JOB = /^bedrock:CreateModelInvocationJob$/;
const JOBS = /^bedrock:\w+ModelInvocationJobs?$/;
/** The region that S3 names as the right one. */
const RIGHT_REGION = /expecting '([a-z0-9-]+)'/;

const SETTING_CLOCK = `Set the clock, for example with: ${SET_CLOCK}`;
const OTHER_MODEL = "Choose another model: openclaw models list";

/** What AWS says of a model that it has closed to those who do not use it, and of one that has ended. */
const LEGACY = /marked by provider as legacy/i;
const ENDED =
  /end[- ]of[- ](its )?life|has reached (the )?end|no longer (available|supported)|\b(is|was|been) (retired|discontinued)\b/i;

/** Whether AWS says that a model is not to be called any more. */
export function saysRetired(message: string): boolean {
  return LEGACY.test(message) || ENDED.test(message);
}

/**
 * The rows of the table; one without names is of a ValidationException. Names and statuses are those of the service
 * models and of https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html; the patterns fit AWS's own
 * wordings, from
 * https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html and from answers seen on the
 * wire: test/session/error-table.test.ts has them all.
 */
const ROWS: readonly (Omit<ErrorRow, keyof typeof VALIDATION> & Partial<ErrorRow>)[] = [
  // Credentials.
  {
    names: ["ExpiredToken"],
    status: 403,
    code: "credentials-expired",
    message: (c) => `The credentials${from(c)} have expired.`,
    hint: renew,
  },
  {
    names: ["RequestExpired", "RequestTimeTooSkewed"],
    status: [400, 403],
    code: "credentials-rejected",
    message: (c) => `AWS rejects the request because this machine's clock is${c.skew ?? " wrong"}.`,
    hint: () => SETTING_CLOCK,
  },
  {
    names: ["AccessDenied"],
    status: 403,
    pattern: /cross-account pass role/i,
    actions: CREATE_JOB,
    code: "access-denied",
    message: () => "The role of the job is not of the account that submits it.",
    hint: () => "Name one of this account; what makes it: openclaw batch role --s3 s3://BUCKET/PREFIX",
  },
  {
    names: ["AccessDenied", "UnrecognizedClient"],
    status: 403,
    pattern: /(bearer token|api key).*expired/i,
    code: "credentials-expired",
    message: () => "The Bedrock API key in AWS_BEARER_TOKEN_BEDROCK has expired.",
    hint: () => "Create a new key in the Bedrock console and export it as AWS_BEARER_TOKEN_BEDROCK.",
  },
  {
    names: ["AccessDenied", "UnrecognizedClient"],
    status: 403,
    pattern: /api key is valid|invalid (api key|bearer token)/i,
    code: "credentials-rejected",
    message: () => "AWS rejects the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK.",
    hint: () => "Export a valid key as AWS_BEARER_TOKEN_BEDROCK.",
  },
  {
    names: ["UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken"],
    status: [400, 403],
    code: "credentials-rejected",
    message: (c) => `AWS does not know the credentials${from(c)}.`,
    hint: renew,
  },
  {
    names: ["InvalidSignature", "SignatureDoesNotMatch"],
    status: 403,
    pattern: /signature (expired|not yet current)/i,
    code: "credentials-rejected",
    message: (c) => `AWS rejects the signature because this machine's clock is${c.skew ?? " wrong"}.`,
    hint: () => SETTING_CLOCK,
  },
  {
    names: ["InvalidSignature", "SignatureDoesNotMatch"],
    status: 403,
    pattern: /scoped to (a valid|correct) (region|service)/i,
    code: "credentials-rejected",
    message: (c) =>
      `The request was signed for ${c.region ?? "a region"}, and ${endpoint(c)} is not there: ${c.message}`,
    hint: () => "Let region and endpoint agree: openclaw doctor",
  },
  {
    names: ["InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature"],
    status: 403,
    code: "credentials-rejected",
    message: (c) =>
      `AWS rejects the signature: the secret access key${from(c)} does not belong to its key id.`,
    hint: renew,
  },
  {
    names: ["MissingAuthenticationToken"],
    status: 403,
    code: "credentials-rejected",
    message: () => "AWS received the request without credentials.",
    hint: () => "Run: openclaw doctor",
  },
  {
    names: ["OptInRequired", "SubscriptionRequired"],
    status: 403,
    code: "access-denied",
    message: (c) =>
      `The AWS account of the credentials${from(c)} is not signed up for Amazon Bedrock: ${c.message}`,
    hint: () => "Complete the account's sign-up: https://portal.aws.amazon.com/billing/signup",
  },
  // Access to a model.
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html; the wording: https://github.com/anomalyco/opencode/issues/31560
    names: ["Validation", "AccessDenied"],
    status: [400, 403],
    pattern: /data[ _]retention/i,
    code: "model-access",
    gate: "retention",
    message: (c) => {
      const mode = retentionNeeded(c.message, c.modelId);
      const end = /[.!?]$/.test(c.message) ? "" : ".";
      return `${Model(c)} wants another data retention mode than this account has: ${c.message}${end} It needs ${mode}: ${RETENTION_MODES[mode]}.`;
    },
    hint: (c) => openingOf("retention", { ...c, retention: retentionNeeded(c.message, c.modelId) }),
  },
  {
    ...CLOSED_MODEL,
    pattern: /use[- ]case (details|form)|filled out the request form/i,
    code: "model-access",
    message: (c) =>
      `Anthropic's use-case form has not been submitted for this account, or less than 15 minutes ago, so ${model(c)} is closed.`,
    gate: "form",
    hint: (c) => openingOf("form", c),
  },
  {
    ...CLOSED_MODEL,
    pattern:
      /(access|subscription|agreement|entitlement)\b.{0,80}\b(is|are|still) (still )?(pending|in progress|being \w+)/i,
    code: "model-access",
    gate: "agreement",
    message: (c) => `AWS is still opening ${model(c)} to this account: ${c.message}`,
    hint: (c) => `Try again in 15 minutes. Whether it is open by then: ${accessCommand(c)}`,
  },
  {
    ...CLOSED_MODEL,
    pattern: /invalid_payment_instrument|payment instrument/i,
    code: "model-access",
    gate: "agreement",
    message: (c) =>
      `The AWS Marketplace subscription for ${model(c)} could not be made: the account has no valid payment method.`,
    hint: () =>
      "Add one and try again after 2 minutes: https://console.aws.amazon.com/billing/home#/paymentpreferences",
  },
  {
    ...CLOSED_MODEL,
    pattern: /marketplace/i,
    code: "model-access",
    gate: "agreement",
    message: (c) => `The AWS Marketplace subscription for ${model(c)} could not be made.`,
    hint: (c) => openingOf("agreement", c),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateFoundationModelAgreement.html
    ...CLOSED_MODEL,
    pattern:
      /\b(model|license|service) agreement\b|\bagreement (has|is|was) not\b|end[- ]user license|\beula\b/i,
    code: "model-access",
    message: (c) => `The agreement for ${model(c)} has not been accepted for this account: ${c.message}`,
    gate: "agreement",
    hint: (c) => openingOf("agreement", c),
  },
  {
    ...CLOSED_MODEL,
    pattern: LEGACY,
    code: "model-not-found",
    message: (c) =>
      `${Model(c)} is legacy, and AWS has closed it to accounts that do not use it: ${c.message}`,
    hint: () => OTHER_MODEL,
  },
  {
    ...CLOSED_MODEL,
    pattern: ENDED,
    code: "model-not-found",
    message: (c) => `AWS has ended ${model(c)}: ${c.message}`,
    hint: () => OTHER_MODEL,
  },
  {
    names: ["Validation", "AccessDenied"],
    status: [400, 403],
    pattern: /not allowed from unsupported countries/i,
    code: "model-access",
    gate: "authorization",
    message: (c) =>
      `The provider of ${model(c)} does not serve the country of this account or request: ${c.message}`,
    hint: () => "Choose a model of another provider: openclaw models list",
  },
  {
    ...CLOSED_ACCOUNT,
    pattern: /not (available|allowed) for (this|your|channel program) accounts?/i,
    code: "model-access",
    gate: "authorization",
    message: (c) => `AWS has not opened ${model(c)} to this account: ${c.message}`,
    hint: () => OTHER_MODEL,
  },
  {
    ...CLOSED_ACCOUNT,
    pattern: /operation not allowed/i,
    code: "model-access",
    gate: "authorization",
    message: (c) =>
      `AWS lets this account call no models${inRegion(c)} ("${c.message}"): it is new and being verified, or under review.`,
    hint: () => "Ask AWS Support to open Amazon Bedrock for it: https://console.aws.amazon.com/support/home",
  },
  {
    ...CLOSED_ACCOUNT,
    pattern:
      /access to the model|model access is denied|account is not authorized to (invoke|access this model)/i,
    code: "model-access",
    message: (c) => `This account has no access to ${model(c)}${inRegion(c)}.`,
    hint: (c) => `See which gate is closed: ${accessCommand(c)}`,
  },
  {
    ...CLOSED_ACCOUNT,
    pattern: /prompt caching|cache_?point|cache_?control/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not take the prompt cache like this: ${c.message}`,
    hint: () => "Ask without: --cache off",
  },
  {
    names: ["Validation", "AccessDenied", "ModelStream", "ModelError"],
    status: [400, 424],
    pattern: /content filter/i,
    code: "blocked",
    message: (c) => `The answer of ${model(c)} was withheld: ${c.message}`,
    hint: () => "Rephrase the prompt.",
  },
  // Permissions.
  {
    // Without a reason, as also where the bucket is somebody else's than it has to be:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    names: ["AccessDenied"],
    status: 403,
    pattern: /^(?!.*\bnot authorized to perform\b)/is,
    actions: OF_S3,
    code: "access-denied",
    message: (c) =>
      `Amazon S3 denies ${c.action ?? "the call"} on ${bucket(c)}${c.bucketOwner ? `, which has to be of the account ${c.bucketOwner} (--bucket-owner)` : ""}: ${c.message}`,
    hint: (c) => {
      const action = c.action ?? "the action";
      const allow = adviseDenial({ action, isExplicit: false }, c.credentials ?? "these credentials");
      return c.bucketOwner
        ? `Name the account that the bucket is of with --bucket-owner, or, where it is that one: ${allow}`
        : allow;
    },
  },
  {
    names: ["AccessDenied", "NotAuthorized", "UnauthorizedOperation"],
    status: [401, 403],
    code: "access-denied",
    message: (c) =>
      c.denial
        ? describeDenial(c.denial)
        : `AWS denies ${c.action ?? "the call"}${inRegion(c)}: ${c.message}`,
    hint: (c) =>
      adviseDenial(
        c.denial ?? { action: c.action ?? "the action", isExplicit: false },
        c.credentials ?? "these credentials",
        c.action,
      ),
  },
  // The request.
  {
    pattern: /on-demand throughput (isn.t|is not) supported/i,
    code: "needs-inference-profile",
    message: (c) => `AWS calls ${model(c)} only through an inference profile.`,
    hint: () => "List the profiles that reach it: openclaw models list --all",
  },
  {
    names: ["Validation", "ResourceNotFound"],
    status: [400, 404],
    pattern: /guardrail (identifier|version|.*(does not exist|not found|is invalid))/i,
    code: "invalid-request",
    message: (c) => `AWS knows no such guardrail${inRegion(c)}: ${c.message}`,
    hint: (c) =>
      `List those of the region: aws bedrock list-guardrails --region ${quoteForShell(c.region ?? "NAME")}`,
  },
  {
    names: ["Validation", "ResourceNotFound"],
    status: [400, 404],
    pattern:
      /model identifier is invalid|model id .*(invalid|not found)|could not (find|resolve) the (foundation )?model/i,
    code: "model-not-found",
    message: (c) => `AWS knows no ${model(c).replace(/^the /, "")}${inRegion(c)}.`,
    hint: () => "List the models you can call: openclaw models list",
  },
  {
    pattern: /doesn.t support the model that you provided|not supported for (converse|streaming)/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} is no chat model that streams: ${c.message}`,
    hint: () => OTHER_MODEL,
  },
  {
    pattern: /maximum tokens you requested exceeds|max_tokens: \d+ > \d+/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not put out so many tokens: ${c.message}`,
    hint: (c) => `Ask for fewer: --max-tokens ${/(?:limit of|>) (\d+)/.exec(c.message)?.[1] ?? "NUMBER"}`,
  },
  {
    pattern: /document file name/i,
    code: "bad-attachment",
    message: (c) => `AWS does not take the name of a file: ${c.message}`,
    hint: () =>
      "Rename it with letters, digits, single spaces, hyphens, parentheses and square brackets only.",
  },
  {
    pattern: /doesn.t support (documents|the document)/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not read documents: ${c.message}`,
    hint: () => "Attach the text of the document instead.",
  },
  {
    pattern: /doesn.t support the (image|video|audio) (content|field)/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not take this kind of file: ${c.message}`,
    hint: () => "Choose a model that does: openclaw models list",
  },
  {
    pattern: /maximum document size/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not take so large a document: ${c.message}`,
    hint: () => "Split it, or attach only the part that matters.",
  },
  {
    // "You can't include more than 5 documents in a request.": https://github.com/aws-samples/generative-ai-use-cases/issues/1685
    pattern: /too many (images|documents)|more than \d+ (images|documents|files)/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not take so many files: ${c.message}`,
    hint: () => "Attach fewer files.",
  },
  {
    pattern: /image exceeds|image dimensions exceed|could not process image|image.*media type/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not take the image: ${c.message}`,
    hint: () => "Save it smaller, as PNG or JPEG, and attach that.",
  },
  {
    // https://github.com/anthropics/claude-code/issues/5707
    pattern: /\b(maximum|most|more than|exceed\w*|limit)\b.{0,30}\bpages\b/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} does not read so many pages: ${c.message}`,
    hint: () => "Attach a part of the document, or its text.",
  },
  {
    // https://github.com/maximhq/bifrost/issues/5472
    pattern:
      /\bpdf specified\b|could not process (the )?(pdf|document)|document source bytes could not be parsed/i,
    code: "bad-attachment",
    message: (c) => `${Model(c)} cannot read the document: ${c.message}`,
    hint: () => "Open it, save it anew without a password, and attach that.",
  },
  {
    names: ["Validation", "RequestEntityTooLarge"],
    status: [400, 413],
    pattern:
      /expected maxlength: \d+, actual|input is too long|prompt is too long|input tokens? exceed|exceeds? (the )?(model'?s? )?(maximum )?(context|input)|too many (input )?tokens|context (limit|length|window)|maximum (number of )?(input )?tokens/i,
    code: "input-too-long",
    message: (c) => `The input is too long for ${model(c)}: ${c.message}`,
    hint: () => "Send less, or choose a model with a larger context: openclaw models list",
  },
  {
    names: ["RequestEntityTooLarge"],
    status: 413,
    code: "input-too-long",
    message: (c) => `The request to ${model(c)} is too large: ${c.message}`,
    hint: () => "Send less: fewer or smaller files.",
  },
  {
    pattern: /temperature.*top_?p.*both|both.*temperature.*top_?p/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not take temperature and top-p together: ${c.message}`,
    hint: () => "Leave --temperature or --top-p out.",
  },
  {
    pattern: /(temperature|top_?p|top_?k)\W.*(deprecated|may only be set|must be|not supported|unset)/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not take sampling like this: ${c.message}`,
    hint: () => "Leave --temperature and --top-p out.",
  },
  {
    pattern: /thinking|budget_tokens|output_config\.effort|reasoning_?(effort|config)/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not reason as it was asked to: ${c.message}`,
    hint: () => "Leave --reasoning out, and params.reasoning in the configuration.",
  },
  {
    pattern:
      /tool use in streaming mode|doesn.t support tool use|toolConfig|tools?\.\d+\.|toolUse|toolResult/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not take the tools of the request: ${c.message}`,
    hint: () => "Choose a model that takes tools: openclaw models list",
  },
  {
    pattern:
      /is blank|text content blocks must|content field in the message object|must be non-empty|end with trailing whitespace/i,
    code: "invalid-request",
    message: (c) => `A message is empty: ${c.message}`,
    hint: () => "Give every message some text.",
  },
  {
    pattern: /service tier/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} does not have the service tier: ${c.message}`,
    hint: () => "Leave --service-tier out, and params.serviceTier in the configuration.",
  },
  {
    pattern: /latency performance configuration|performanceConfig/i,
    code: "invalid-request",
    message: (c) => `${Model(c)} has no such latency mode: ${c.message}`,
    hint: () => "Leave --latency out, and params.latency in the configuration.",
  },
  // Amazon S3, and the jobs that read from it: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  {
    names: ["NoSuchBucket"],
    status: 404,
    ...REFUSED_BY_S3,
    message: (c) => `Amazon S3 has not got ${bucket(c)}.`,
    hint: (c) => `Make it: aws s3 mb ${s3Uri(c)} --region ${quoteForShell(c.region ?? "NAME")}`,
  },
  {
    names: ["NoSuchKey", "NotFound"],
    status: 404,
    ...REFUSED_BY_S3,
    message: (c) => `There is no such object in ${bucket(c)}: ${c.message}`,
    hint: (c) => `See what is there: aws s3 ls --recursive ${s3Uri(c)}`,
  },
  {
    names: ["AuthorizationHeaderMalformed"],
    status: 400,
    pattern: /^(?!.*\bregion '[^']*' is wrong)/is,
    actions: OF_S3,
    code: "credentials-rejected",
    message: (c) => `Amazon S3 does not take the credentials${from(c)}: ${c.message}`,
    hint: renew,
  },
  {
    names: [
      "PermanentRedirect",
      "TemporaryRedirect",
      "AuthorizationHeaderMalformed",
      "IllegalLocationConstraint",
    ],
    status: [301, 400],
    ...REFUSED_BY_S3,
    message: (c) =>
      `${capitalize(bucket(c))} is in another region than ${c.region ?? "the call"}: ${c.message}`,
    hint: (c) =>
      `Call its region, or name a bucket of this one: --region ${quoteForShell(RIGHT_REGION.exec(c.message)?.[1] ?? "NAME")}`,
  },
  {
    names: KMS_NAMES,
    status: 400,
    ...REFUSED_BY_S3,
    message: (c) => `Amazon S3 cannot use the KMS key: ${c.message}`,
    hint: (c) =>
      `Name one that is enabled${inRegion(c)}: aws kms list-keys --region ${quoteForShell(c.region ?? "NAME")}`,
  },
  {
    // Somebody else has ended the upload, or puts parts into it, too.
    names: ["NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"],
    status: [400, 404],
    ...REFUSED_BY_S3,
    message: (c) => `The upload to ${bucket(c)} cannot be ended with the parts that it has: ${c.message}`,
    hint: () => "Run the command again: it begins a new upload.",
  },
  {
    names: ["PreconditionFailed", "InvalidRange"],
    status: [412, 416],
    ...REFUSED_BY_S3,
    message: (c) => `An object of ${bucket(c)} was changed while it was read: ${c.message}`,
    hint: () => "Run the command again.",
  },
  {
    names: ["InvalidObjectState"],
    status: 403,
    ...REFUSED_BY_S3,
    message: (c) => `An object of ${bucket(c)} lies in an archive: ${c.message}`,
    hint: (c) =>
      `Fetch it from there: aws s3api restore-object --bucket ${quoteForShell(c.bucket ?? "BUCKET")} --key KEY --restore-request Days=7`,
  },
  {
    names: [
      "InvalidBucketName",
      "InvalidRequest",
      "InvalidArgument",
      "InvalidDigest",
      "InvalidURI",
      "EntityTooLarge",
      "KeyTooLongError",
      "MalformedXML",
      "MalformedTrailerError",
      "MissingContentLength",
      "MethodNotAllowed",
      "NotImplemented",
    ],
    status: [400, 501],
    ...REFUSED_BY_S3,
    message: (c) => `Amazon S3 refuses the request to ${bucket(c)}: ${c.message}`,
    hint: () => "Change what the message names and run the command again.",
  },
  {
    names: ["BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody"],
    status: 400,
    actions: OF_S3,
    code: "network",
    message: (c) => `Bytes have changed on their way between here and ${bucket(c)}: ${c.message}`,
    hint: () => "Run the command again; check what is in between: openclaw doctor",
  },
  {
    names: ["SlowDown"],
    status: 503,
    actions: OF_S3,
    code: "throttled",
    message: (c) => `Amazon S3 throttles ${bucket(c)}: ${c.message}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    names: ["RequestTimeout"],
    status: 400,
    pattern: /socket connection/i,
    actions: OF_S3,
    code: "timeout",
    message: (c) => `Amazon S3 waited too long for the rest of what is sent to ${bucket(c)}.`,
    hint: () => "Run the command again: what is there already is not sent again.",
  },
  {
    names: ["AccountProblem", "AllAccessDisabled"],
    status: 403,
    actions: OF_S3,
    code: "access-denied",
    message: (c) => `Amazon S3 does not let this account use ${bucket(c)}: ${c.message}`,
    hint: () => "Ask AWS Support: https://console.aws.amazon.com/support/home",
  },
  {
    // https://github.com/aws/sagemaker-python-sdk/pull/6076
    pattern: /job name is currently in use/i,
    actions: CREATE_JOB,
    code: "invalid-request",
    message: (c) =>
      `This account has a job ${c.jobName ? `'${c.jobName}'` : "of that name"}${inRegion(c)} already, and names stay taken.`,
    hint: () => "Give it another one: --name NAME. Or leave --name out: then it has one of its own.",
  },
  {
    // https://github.com/prowler-cloud/prowler/pull/12801
    ...CLOSED_ACCOUNT,
    pattern: /account is not authorized to perform this action/i,
    actions: CREATE_JOB,
    code: "access-denied",
    message: (c) => `AWS has not opened batch inference to this account${inRegion(c)}: ${c.message}`,
    hint: () => "Ask AWS Support to open it: https://console.aws.amazon.com/support/home",
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html
    pattern: /\b(assum\w+|trust)\b.{0,80}\brole\b|\brole\b.{0,200}\b(assum\w+|trust)/i,
    actions: CREATE_JOB,
    code: "access-denied",
    message: (c) => `Amazon Bedrock cannot assume the role: ${c.message}`,
    hint: () => "What its trust policy has to say: openclaw batch role --s3 s3://BUCKET/PREFIX",
  },
  {
    pattern: /\b(s3|bucket)\b.{0,120}\b(different|another|same|wrong) region|region.{0,120}\b(s3|bucket)\b/i,
    actions: CREATE_JOB,
    code: "invalid-request",
    message: (c) => `The bucket is in another region than the job${inRegion(c)}: ${c.message}`,
    hint: () => "Name a bucket of the job's region, or the bucket's --region.",
  },
  {
    pattern:
      /\b(s3|bucket)\b.{0,160}\b(permission|access|denied|authori[sz]ed|not exist)|\b(permission|access|denied|authori[sz]ed)\b.{0,160}\b(s3|bucket)\b/i,
    actions: CREATE_JOB,
    code: "access-denied",
    message: (c) => `The role of the job cannot use the bucket: ${c.message}`,
    hint: () => "What it needs there: openclaw batch role --s3 s3://BUCKET/PREFIX",
  },
  {
    pattern: /batch (inference )?(job|mode|is not supported)|model.{0,80}\bbatch/i,
    actions: CREATE_JOB,
    code: "invalid-request",
    message: (c) => `${Model(c)} takes no such job: ${c.message}`,
    hint: () => "Run the lines from this machine: openclaw batch run FILE",
  },
  {
    names: ["Conflict"],
    status: [400, 409],
    actions: JOBS,
    code: "invalid-request",
    message: (c) => `Amazon Bedrock has something else of this name, or busy with it: ${c.message}`,
    hint: () => "See which jobs there are: openclaw batch list",
  },
  {
    names: ["Validation", "Serialization", "MalformedHttpRequest"],
    status: 400,
    code: "invalid-request",
    message: (c) => `AWS refuses the request${c.modelId ? ` to ${model(c)}` : ""}: ${c.message}`,
    hint: () => "Change what the message names and run the command again.",
  },
  {
    names: ["ResourceNotFound"],
    status: 404,
    actions: /^bedrock:(Get|Stop)ModelInvocationJob$/,
    code: "invalid-request",
    message: (c) => `There is no such job${inRegion(c)}: ${c.message}`,
    hint: () => "See which jobs there are: openclaw batch list",
  },
  {
    names: ["ResourceNotFound"],
    status: 404,
    code: "model-not-found",
    message: (c) => `AWS knows no ${model(c).replace(/^the /, "")}${inRegion(c)}: ${c.message}`,
    hint: () => "List the models you can call: openclaw models list",
  },
  // The service.
  {
    names: [
      "Throttling",
      "TooManyRequests",
      "ThrottledException",
      "RequestLimitExceeded",
      "ServiceQuotaExceeded",
    ],
    status: [400, 429],
    pattern: /per day|daily/i,
    code: "quota-exceeded",
    message: (c) => `The daily quota for ${model(c)} is used up: ${c.message}`,
    hint: () => "Ask for a higher quota in the Service Quotas console; this one is full again tomorrow.",
  },
  {
    names: ["Throttling"],
    status: 429,
    pattern: /too many tokens/i,
    code: "throttled",
    message: (c) => `The tokens per minute for ${model(c)}${inRegion(c)} are used up: ${c.message}`,
    hint: () => "Wait a minute; a smaller --max-tokens counts less against the quota.",
  },
  {
    names: ["ServiceQuotaExceeded", "LimitExceeded"],
    status: 400,
    code: "quota-exceeded",
    message: (c) => `A quota of this account is used up: ${c.message}`,
    hint: () => "Ask for a higher quota in the Service Quotas console.",
  },
  {
    names: ["Throttling", "TooManyRequests", "ThrottledException", "RequestLimitExceeded"],
    status: 429,
    code: "throttled",
    message: (c) =>
      `AWS throttles ${c.modelId ? model(c) : (c.action ?? "the call")}${inRegion(c)}: ${c.message}`,
    hint: (c) =>
      c.modelId
        ? "Wait a minute and try again; --wait-for-quota of chat and embed waits for room by itself."
        : "Wait a minute and try again; AWS_MAX_ATTEMPTS=8 keeps trying for longer.",
  },
  {
    names: ["ModelTimeout", "RequestTimeout"],
    status: 408,
    code: "timeout",
    message: (c) => `${Model(c)} took too long to answer: ${c.message}`,
    hint: () => "Try again, or ask for less with --max-tokens.",
  },
  {
    names: ["ModelNotReady"],
    status: 429,
    code: "service-unavailable",
    message: (c) => `${Model(c)} is not ready: ${c.message}`,
    hint: () => "Try again in a few minutes.",
  },
  {
    names: ["ModelError", "ModelStreamError", "ModelStream"],
    status: 424,
    code: "model-error",
    message: (c) => `${Model(c)} failed while it answered: ${c.message}`,
    hint: () => "Try again.",
  },
  {
    names: [
      "ServiceUnavailable",
      "InternalServer",
      "InternalFailure",
      "ServiceException",
      "InternalServerError",
      "InternalError",
    ],
    status: [500, 503],
    code: "service-unavailable",
    message: (c) => `${c.service ?? "Amazon Bedrock"} is not available${inRegion(c)}: ${c.message}`,
    hint: () => "Try again in a minute.",
  },
  {
    names: ["UnknownOperation"],
    status: 404,
    code: "bad-response",
    message: (c) =>
      `${c.endpointSource ? `${endpoint(c)} (${c.endpointSource})` : "The endpoint"} does not know ${c.action ?? "this call"}.`,
    hint: (c) =>
      c.endpointSource === undefined
        ? "Check --endpoint-url, AWS_ENDPOINT_URL and baseUrl: openclaw doctor"
        : checkAnswerer(c),
  },
  // Answers without a name of AWS.
  {
    names: [],
    status: [300, 399],
    code: "bad-response",
    message: (c) =>
      `${endpoint(c)} answers with a redirect (${c.status}${c.location ? ` to ${c.location}` : ""}); AWS never does.`,
    hint: () => "Log in to the network you are on, or check the endpoint: openclaw doctor",
  },
  {
    names: [],
    status: 407,
    code: "network",
    message: () => "The proxy demands a login.",
    hint: () => "Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
  },
  {
    names: [],
    status: 413,
    code: "bad-response",
    message: (c) => `${endpoint(c)} answers 413${said(c)}`,
    hint: () => "Send less, or let what is in between take larger requests.",
  },
  {
    names: [],
    status: 429,
    code: "throttled",
    message: (c) => `${endpoint(c)} answers 429${said(c)}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    names: [],
    status: 503,
    code: "service-unavailable",
    message: (c) => `${endpoint(c)} answers 503${said(c)}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    names: [],
    status: [100, 599],
    code: "bad-response",
    message: (c) => `${endpoint(c)} answers ${c.status} with something that is not AWS's.`,
    hint: checkAnswerer,
  },
];

/** Every answer that is an error, first match wins. */
export const ERROR_TABLE: readonly ErrorRow[] = ROWS.map((row) => Object.assign({}, VALIDATION, row));

/** The first row that an AWS error falls under, by its name and message, and by the IAM action that failed where it is known. */
export function findRow(name: string, message: string, action = ""): ErrorRow | undefined {
  const stem = stemOf(name);
  return ERROR_TABLE.find(
    (row) =>
      row.names.some((known) => stemOf(known) === stem) &&
      (row.pattern?.test(message) ?? true) &&
      (row.actions?.test(action) ?? true),
  );
}

/** The row of an answer that carries no name of AWS, by its HTTP status. */
export function findRowOfStatus(status: number): ErrorRow | undefined {
  return ERROR_TABLE.find((row) => {
    const [first, last] = typeof row.status === "number" ? [row.status, row.status] : row.status;
    return row.names.length === 0 && status >= first && status <= last;
  });
}

/** Whether something thrown is an error that AWS sent, by its name. */
export function isKnownAwsError(failure: unknown): failure is Error {
  return failure instanceof Error && findRow(failure.name, failure.message) !== undefined;
}
