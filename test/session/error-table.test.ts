import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { callBedrock } from "../../src/session/bedrock-operations.ts";
import { toOpenclawError } from "../../src/session/aws-errors.ts";
import { ERROR_TABLE, type ErrorRow, findRow, findRowOfStatus } from "../../src/session/error-table.ts";
import { streamChat } from "../helpers/stream-chat.ts";
import { type ScriptedAnswer, startEmulator } from "../../src/emulator/emulator.ts";
import { EXIT_CODES, type ErrorCode, OpenclawError } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testSession } from "../helpers/test-session.ts";

const MODEL = "us.anthropic.claude-opus-4-6-v1";
const ACTION = "bedrock:InvokeModelWithResponseStream";

/** AWS's error name, HTTP status and message; then code, a part of our message and a part of our hint. */
type Wording = [
  name: string,
  status: number,
  message: string,
  code: ErrorCode,
  says: string,
  hint: string,
  action?: string,
];

/**
 * AWS's own wordings: those of its documentation
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html,
 * https://repost.aws/knowledge-center/bedrock-invokemodel-api-error, CommonErrors of the API reference), and those that
 * people pasted into public issue trackers and code.
 */
const WORDINGS: readonly Wording[] = [
  // Credentials.
  [
    "ExpiredTokenException",
    403,
    "The security token included in the request is expired",
    "credentials-expired",
    "The credentials from key AKIA…KEYX from the environment have expired.",
    "AWS_ACCESS_KEY_ID",
  ],
  [
    "RequestExpired",
    400,
    "Request is no longer valid due to expired timestamps.",
    "credentials-rejected",
    "clock",
    "timedatectl",
  ],
  [
    "AccessDeniedException",
    403,
    "Bearer Token has expired",
    "credentials-expired",
    "AWS_BEARER_TOKEN_BEDROCK has expired",
    "Create a new key",
  ],
  [
    "AccessDeniedException",
    403,
    "Authentication failed: Please make sure your API Key is valid.",
    "credentials-rejected",
    "rejects the Bedrock API key",
    "Export a valid key",
  ],
  [
    "AccessDeniedException",
    403,
    "Invalid API Key format: Must start with pre-defined prefix",
    "credentials-rejected",
    "rejects the Bedrock API key",
    "Export a valid key",
  ],
  [
    "UnrecognizedClientException",
    403,
    "The security token included in the request is invalid.",
    "credentials-rejected",
    "does not know the credentials from key AKIA…KEYX",
    "AWS_SECRET_ACCESS_KEY",
  ],
  [
    "InvalidSignatureException",
    403,
    "Signature expired: 20261122T101500Z is now earlier than 20261122T102200Z (20261122T102700Z - 5 min.)",
    "credentials-rejected",
    "clock is wrong",
    "timedatectl",
  ],
  [
    "InvalidSignatureException",
    403,
    "Signature not yet current: 20261122T104500Z is still later than 20261122T103200Z (20261122T102700Z + 5 min.)",
    "credentials-rejected",
    "clock is wrong",
    "timedatectl",
  ],
  [
    "InvalidSignatureException",
    403,
    "Credential should be scoped to a valid region.",
    "credentials-rejected",
    "was signed for us-east-1",
    "Let region and endpoint agree",
  ],
  [
    "InvalidSignatureException",
    403,
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "credentials-rejected",
    "does not belong to its key id",
    "AWS_SECRET_ACCESS_KEY",
  ],
  [
    "MissingAuthenticationTokenException",
    403,
    "Missing Authentication Token",
    "credentials-rejected",
    "without credentials",
    "openclaw doctor",
  ],
  [
    "OptInRequired",
    403,
    "The AWS Access Key Id needs a subscription for the service",
    "access-denied",
    "is not signed up for Amazon Bedrock",
    "https://portal.aws.amazon.com/billing/signup",
  ],
  // Access to a model.
  [
    "ResourceNotFoundException",
    404,
    "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model. If you have already filled out the form, try again in 15 minutes.",
    "model-access",
    "use-case form has not been submitted",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --submit-form FILE --region us-east-1",
  ],
  // https://github.com/truefoundry/models/pull/934
  [
    "ValidationException",
    400,
    "The model returned the following errors: You have not filled out the required use-case form for this model. Complete the form at https://ap-southeast-4.console.aws.amazon.com/bedrock/ before requesting access.",
    "model-access",
    "use-case form has not been submitted",
    "--submit-form FILE",
  ],
  [
    "ResourceNotFoundException",
    404,
    "You have not filled out the request form",
    "model-access",
    "use-case form has not been submitted",
    "--submit-form FILE",
  ],
  [
    "AccessDeniedException",
    403,
    "Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.. Your AWS Marketplace subscription for this model cannot be completed at this time. If you recently fixed this issue, try again after 2 minutes.",
    "model-access",
    "no valid payment method",
    "paymentpreferences",
  ],
  [
    "AccessDeniedException",
    403,
    "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model. Refer to the Amazon Bedrock documentation for further details. Your AWS Marketplace subscription for this model cannot be completed at this time. If you recently fixed this issue, try again after 2 minutes.",
    "model-access",
    "Marketplace subscription",
    "aws-marketplace:Subscribe",
  ],
  [
    "AccessDeniedException",
    403,
    "Model access is denied due to User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: aws-marketplace:ViewSubscriptions on resource: * because no identity-based policy allows the aws-marketplace:ViewSubscriptions action",
    "model-access",
    "Marketplace subscription",
    "aws-marketplace:Subscribe",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: data retention mode 'default' is not available for this model",
    "model-access",
    "It needs aws_review: AWS may keep prompts and answers for up to 30 days and let its people review them",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --retention aws_review --region us-east-1",
  ],
  [
    "AccessDeniedException",
    403,
    "Access to this model is not available for channel program accounts. Reach out to your AWS Solution Provider or AWS Distributor for more information.",
    "model-access",
    "has not opened",
    "openclaw models list",
  ],
  [
    "AccessDeniedException",
    403,
    "Your account is not authorized to access this model",
    "model-access",
    "has no access to model",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --region us-east-1",
  ],
  // For these two no wording of AWS's is known: they are in the terms of GetFoundationModelAvailability.
  [
    "AccessDeniedException",
    403,
    "Model agreement has not been accepted for this account.",
    "model-access",
    "The agreement for model",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --accept-agreement --region us-east-1",
  ],
  [
    "AccessDeniedException",
    403,
    "The agreement for this model is pending. Try again in 15 minutes.",
    "model-access",
    "AWS is still opening model",
    "Try again in 15 minutes.",
  ],
  [
    "ResourceNotFoundException",
    404,
    "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock",
    "model-not-found",
    "is legacy",
    "openclaw models list",
  ],
  [
    "ResourceNotFoundException",
    404,
    "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
    "model-not-found",
    "AWS has ended model",
    "openclaw models list",
  ],
  [
    "ResourceNotFoundException",
    404,
    "The model anthropic.claude-3-sonnet-20240229-v1:0 has been retired.",
    "model-not-found",
    "AWS has ended model",
    "openclaw models list",
  ],
  [
    "ResourceNotFoundException",
    404,
    "The model has reached its end-of-life.",
    "model-not-found",
    "AWS has ended model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "Access to Anthropic models is not allowed from unsupported countries, regions, or territories. Please refer to https://www.anthropic.com/supported-countries for more information on the countries and regions Anthropic currently supports.",
    "model-access",
    "does not serve the country",
    "another provider",
  ],
  [
    "AccessDeniedException",
    403,
    "openai.gpt-5.6-luna is not available for this account. You can explore other available models on Amazon Bedrock. For additional access options, contact AWS Sales at https://aws.amazon.com/contact-us/sales-support/",
    "model-access",
    "has not opened model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "Access to Bedrock models is not allowed for this account.",
    "model-access",
    "has not opened model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "Operation not allowed",
    "model-access",
    "lets this account call no models",
    "AWS Support",
  ],
  [
    "AccessDeniedException",
    403,
    "You don't have access to the model with the specified model ID.",
    "model-access",
    "has no access to model",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --region us-east-1",
  ],
  [
    "AccessDeniedException",
    403,
    "Your account is not authorized to invoke this API operation.",
    "model-access",
    "has no access to model",
    "openclaw models access us.anthropic.claude-opus-4-6-v1 --region us-east-1",
  ],
  [
    "AccessDeniedException",
    403,
    "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.",
    "invalid-request",
    "prompt cache",
    "--cache off",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: A maximum of 4 blocks with cache_control may be provided. Found 5.",
    "invalid-request",
    "prompt cache",
    "--cache off",
  ],
  [
    "ValidationException",
    400,
    "Malformed input request: extraneous key [cachePoint] is not permitted, please reformat your input and try again.",
    "invalid-request",
    "prompt cache",
    "--cache off",
  ],
  [
    "ValidationException",
    400,
    "Output blocked by content filtering policy",
    "blocked",
    "was withheld",
    "Rephrase",
  ],
  // Permissions; every form of a denial is in denial.test.ts.
  [
    "AccessDeniedException",
    403,
    `User: arn:aws:iam::123456789012:user/me is not authorized to perform: ${ACTION} on resource: arn:aws:bedrock:us-east-1:123456789012:inference-profile/${MODEL} because no identity-based policy allows the ${ACTION} action`,
    "access-denied",
    `may not call ${ACTION} on arn:aws:bedrock:us-east-1:123456789012:inference-profile/${MODEL}: no identity-based policy allows it.`,
    "openclaw iam policy",
  ],
  [
    "AccessDeniedException",
    403,
    `User: arn:aws:iam::123456789012:user/me is not authorized to perform: ${ACTION} on resource: arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-opus-4-6-v1 with an explicit deny in a service control policy`,
    "access-denied",
    "a service control policy denies it explicitly",
    "in us-west-2.",
  ],
  [
    "AccessDeniedException",
    403,
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:CallWithBearerToken because no identity-based policy allows the bedrock:CallWithBearerToken action",
    "access-denied",
    "may not call bedrock:CallWithBearerToken",
    "openclaw iam policy",
  ],
  [
    "AccessDeniedException",
    403,
    "Access denied",
    "access-denied",
    `AWS denies ${ACTION} in us-east-1`,
    "openclaw iam policy",
  ],
  // The request.
  [
    "ValidationException",
    400,
    "Invocation of model ID anthropic.claude-opus-4-6-v1 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
    "needs-inference-profile",
    "only through an inference profile",
    "openclaw models list --all",
  ],
  [
    "ValidationException",
    400,
    "Invocation of model ID anthropic.claude-opus-4-6-v1 with on-demand throughput is not supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
    "needs-inference-profile",
    "only through an inference profile",
    "openclaw models list --all",
  ],
  [
    "ValidationException",
    400,
    "The guardrail identifier or version provided in the request does not exist.",
    "invalid-request",
    "no such guardrail in us-east-1",
    "aws bedrock list-guardrails --region us-east-1",
  ],
  [
    "ValidationException",
    400,
    "The provided guardrail identifier is invalid.",
    "invalid-request",
    "no such guardrail",
    "aws bedrock list-guardrails --region us-east-1",
  ],
  [
    "ValidationException",
    400,
    "The provided model identifier is invalid.",
    "model-not-found",
    `AWS knows no model '${MODEL}' in us-east-1.`,
    "openclaw models list",
  ],
  [
    "ResourceNotFoundException",
    404,
    "Could not resolve the foundation model from the provided model identifier.",
    "model-not-found",
    "AWS knows no model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    "invalid-request",
    "is no chat model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "The maximum tokens you requested exceeds the model limit of 10000. Try again with a maximum tokens value that is lower than 10000.",
    "invalid-request",
    "so many tokens",
    "--max-tokens 10000",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for claude-opus-4-6",
    "invalid-request",
    "so many tokens",
    "--max-tokens 128000",
  ],
  [
    "ValidationException",
    400,
    "Input is too long for requested model.",
    "input-too-long",
    "too long",
    "Send less",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: prompt is too long: 210432 tokens > 200000 maximum",
    "input-too-long",
    "210432 tokens",
    "Send less",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: input length and `max_tokens` exceed context limit: 188059 + 20000 > 200000, decrease input length or `max_tokens` and try again",
    "input-too-long",
    "188059 + 20000",
    "Send less",
  ],
  [
    "ValidationException",
    400,
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
    "input-too-long",
    "too long",
    "Send less",
  ],
  [
    "ValidationException",
    400,
    "This model's maximum context length is 131072 tokens. Please reduce the length of the prompt",
    "input-too-long",
    "131072",
    "Send less",
  ],
  [
    "RequestEntityTooLargeException",
    413,
    "Request entity too large",
    "input-too-long",
    "too large",
    "Send less",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    "invalid-request",
    "temperature and top-p together",
    "--temperature or --top-p",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
    "invalid-request",
    "sampling",
    "--temperature",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: `temperature` is deprecated for this model.",
    "invalid-request",
    "sampling",
    "--temperature",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: `top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    "invalid-request",
    "sampling",
    "--top-p",
  ],
  [
    "ValidationException",
    400,
    'The model returned the following errors: "thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
    "invalid-request",
    "does not reason as it was asked to",
    "--reasoning",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    "invalid-request",
    "does not reason as it was asked to",
    "--reasoning",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
    "invalid-request",
    "does not reason as it was asked to",
    "--reasoning",
  ],
  [
    "ValidationException",
    400,
    "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    "invalid-request",
    "tools of the request",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "This model doesn't support tool use in streaming mode.",
    "invalid-request",
    "tools of the request",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
    "invalid-request",
    "tools of the request",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.",
    "bad-attachment",
    "name of a file",
    "Rename",
  ],
  [
    "ValidationException",
    400,
    "This model doesn't support documents. Try again with a model that supports documents.",
    "bad-attachment",
    "does not read documents",
    "Attach the text",
  ],
  [
    "ValidationException",
    400,
    "This model doesn't support the image content block that you provided. Update the content block and try again.",
    "bad-attachment",
    "this kind of file",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 5343688 bytes > 5242880 bytes",
    "bad-attachment",
    "does not take the image",
    "smaller",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.1.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
    "bad-attachment",
    "8000 pixels",
    "smaller",
  ],
  [
    "ValidationException",
    400,
    "The maximum document size is 4.5 MB.",
    "bad-attachment",
    "so large a document",
    "Split it",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: too many images and documents: 23 + 0 > 20",
    "bad-attachment",
    "so many files",
    "fewer files",
  ],
  [
    "ValidationException",
    400,
    "You can't include more than 5 documents in a request. Reduce the number of documents and try your request again.",
    "bad-attachment",
    "so many files",
    "fewer files",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.0.pdf.source.base64.data: The PDF specified was not valid.",
    "bad-attachment",
    "cannot read the document",
    "without a password",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.1.document.source.base64.data: A maximum of 100 PDF pages may be provided.",
    "bad-attachment",
    "does not read so many pages",
    "Attach a part of the document",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.1.source.bytes: The document source bytes could not be parsed as the specified format. If using a text-based format, try source.text instead of source.bytes.",
    "bad-attachment",
    "cannot read the document",
    "without a password",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages.0.content.0.pdf.source.base64.data: The PDF specified is password protected.",
    "bad-attachment",
    "cannot read the document",
    "without a password",
  ],
  [
    "ValidationException",
    400,
    "Malformed input request: expected maxLength: 50000, actual: 54321, please reformat your input and try again.",
    "input-too-long",
    "too long for model",
    "openclaw models list",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: Could not process image",
    "bad-attachment",
    "does not take the image",
    "PNG",
  ],
  [
    "ValidationException",
    400,
    "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.",
    "invalid-request",
    "A message is empty",
    "some text",
  ],
  [
    "ValidationException",
    400,
    "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field and try again.",
    "invalid-request",
    "A message is empty",
    "some text",
  ],
  [
    "ValidationException",
    400,
    "The model returned the following errors: messages: text content blocks must contain non-whitespace text",
    "invalid-request",
    "A message is empty",
    "some text",
  ],
  [
    "ValidationException",
    400,
    "The provided service tier is not supported for this model",
    "invalid-request",
    "does not have the service tier",
    "--service-tier",
  ],
  [
    "ValidationException",
    400,
    "Latency performance configuration is not supported for amazon.nova-pro-v1:0 in us-east-1",
    "invalid-request",
    "latency mode",
    "--latency",
  ],
  [
    "ValidationException",
    400,
    "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    "invalid-request",
    "AWS refuses the request",
    "Change what the message names",
  ],
  [
    "ResourceNotFoundException",
    404,
    "The specified inference profile could not be found.",
    "model-not-found",
    "inference profile could not be found",
    "openclaw models list",
  ],
  // Amazon S3, and the jobs that read from it.
  [
    "InvalidAccessKeyId",
    403,
    "The AWS Access Key Id you provided does not exist in our records.",
    "credentials-rejected",
    "does not know the credentials",
    "AWS_SECRET_ACCESS_KEY",
    "s3:PutObject",
  ],
  [
    "InvalidToken",
    400,
    "The provided token is malformed or otherwise invalid.",
    "credentials-rejected",
    "does not know the credentials",
    "AWS_SECRET_ACCESS_KEY",
    "s3:PutObject",
  ],
  [
    "NoSuchBucket",
    404,
    "The specified bucket does not exist",
    "invalid-request",
    "has not got the bucket 'my-bucket'",
    "aws s3 mb s3://my-bucket --region us-east-1",
    "s3:PutObject",
  ],
  [
    "NoSuchKey",
    404,
    "The specified key does not exist.",
    "invalid-request",
    "no such object in the bucket 'my-bucket'",
    "aws s3 ls",
    "s3:GetObject",
  ],
  [
    "PermanentRedirect",
    301,
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    "invalid-request",
    "'my-bucket' is in another region than us-east-1",
    "--region NAME",
    "s3:PutObject",
  ],
  [
    "AuthorizationHeaderMalformed",
    400,
    "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
    "invalid-request",
    "is in another region",
    "--region eu-west-1",
    "s3:PutObject",
  ],
  [
    "AuthorizationHeaderMalformed",
    400,
    'The authorization header is malformed; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    "credentials-rejected",
    "does not take the credentials",
    "AWS_SECRET_ACCESS_KEY",
    "s3:PutObject",
  ],
  [
    "InvalidPartOrder",
    400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
    "invalid-request",
    "The upload to the bucket 'my-bucket' cannot be ended",
    "begins a new upload",
    "s3:PutObject",
  ],
  [
    "EntityTooSmall",
    400,
    "Your proposed upload is smaller than the minimum allowed size",
    "invalid-request",
    "The upload to the bucket 'my-bucket' cannot be ended",
    "begins a new upload",
    "s3:PutObject",
  ],
  [
    "InvalidRange",
    416,
    "The requested range is not satisfiable",
    "invalid-request",
    "was changed while it was read",
    "Run the command again",
    "s3:GetObject",
  ],
  [
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold",
    "invalid-request",
    "was changed while it was read",
    "Run the command again",
    "s3:GetObject",
  ],
  [
    "InvalidObjectState",
    403,
    "The operation is not valid for the object's storage class",
    "invalid-request",
    "lies in an archive",
    "aws s3api restore-object --bucket my-bucket",
    "s3:GetObject",
  ],
  [
    "AccessDenied",
    403,
    "User: arn:aws:sts::123456789012:assumed-role/Worker/x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/1a2b because no identity-based policy allows the kms:GenerateDataKey action",
    "access-denied",
    "may not call kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/1a2b",
    "openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX --kms-key arn:aws:kms:us-east-1:123456789012:key/1a2b",
    "s3:PutObject",
  ],
  [
    "AccessDenied",
    403,
    "User: arn:aws:sts::123456789012:assumed-role/Worker/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:123456789012:key/1a2b because no resource-based policy allows the kms:Decrypt action",
    "access-denied",
    "no resource-based policy allows it",
    "in the policy of arn:aws:kms:us-east-1:123456789012:key/1a2b",
    "s3:GetObject",
  ],
  [
    "KMS.NotFoundException",
    400,
    "Invalid keyId 'nope'",
    "invalid-request",
    "cannot use the KMS key",
    "aws kms list-keys --region us-east-1",
    "s3:PutObject",
  ],
  [
    "InvalidBucketName",
    400,
    "The specified bucket is not valid.",
    "invalid-request",
    "Amazon S3 refuses the request",
    "Change what",
    "s3:PutObject",
  ],
  [
    "BadDigest",
    400,
    "The SHA256 you specified did not match the calculated checksum.",
    "network",
    "Bytes have changed on their way",
    "Run the command again",
    "s3:PutObject",
  ],
  [
    "SlowDown",
    503,
    "Please reduce your request rate.",
    "throttled",
    "Amazon S3 throttles",
    "Wait a minute",
    "s3:PutObject",
  ],
  [
    "RequestTimeout",
    400,
    "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
    "timeout",
    "waited too long",
    "not sent again",
    "s3:PutObject",
  ],
  [
    "AllAccessDisabled",
    403,
    "All access to this object has been disabled",
    "access-denied",
    "does not let this account use",
    "AWS Support",
    "s3:PutObject",
  ],
  [
    "AccessDenied",
    403,
    "Access Denied",
    "access-denied",
    "Amazon S3 denies s3:PutObject on the bucket 'my-bucket'",
    "Allow s3:PutObject",
    "s3:PutObject",
  ],
  [
    "InternalError",
    500,
    "We encountered an internal error. Please try again.",
    "service-unavailable",
    "Amazon S3 is not available",
    "Try again",
    "s3:PutObject",
  ],
  [
    "AccessDeniedException",
    403,
    "User: arn:aws:sts::123456789012:assumed-role/Worker/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/BatchRole because no identity-based policy allows the iam:PassRole action",
    "access-denied",
    "may not call iam:PassRole on arn:aws:iam::123456789012:role/BatchRole",
    "openclaw batch role",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "AccessDeniedException",
    403,
    "Cross-account pass role is not allowed.",
    "access-denied",
    "is not of the account that submits it",
    "openclaw batch role",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "The provided job name is currently in use.",
    "invalid-request",
    "This account has a job of that name in us-east-1 already",
    "--name",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "Your account is not authorized to perform this action. Please create a support case with AWS Support.",
    "access-denied",
    "has not opened batch inference to this account",
    "AWS Support",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "Amazon Bedrock could not assume the provided role. Check the trust policy of the role.",
    "access-denied",
    "cannot assume the role",
    "openclaw batch role",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "The S3 bucket is in a different region than the job.",
    "invalid-request",
    "The bucket is in another region than the job",
    "--region",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "The role does not have permission to the S3 location s3://my-bucket/in.jsonl.",
    "access-denied",
    "cannot use the bucket",
    "openclaw batch role",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ValidationException",
    400,
    "The provided model does not support batch inference jobs.",
    "invalid-request",
    "takes no such job",
    "openclaw batch run",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ConflictException",
    400,
    "A job with this name is already in progress.",
    "invalid-request",
    "something else of this name",
    "openclaw batch list",
    "bedrock:CreateModelInvocationJob",
  ],
  [
    "ResourceNotFoundException",
    404,
    "Could not find job abcdefghijkl",
    "invalid-request",
    "There is no such job in us-east-1",
    "openclaw batch list",
    "bedrock:GetModelInvocationJob",
  ],
  // The service.
  [
    "ThrottlingException",
    429,
    "Too many tokens per day, please wait before trying again.",
    "quota-exceeded",
    "daily quota",
    "Service Quotas",
  ],
  [
    "ThrottlingException",
    429,
    "Too many tokens, please wait before trying again.",
    "throttled",
    "tokens per minute",
    "--max-tokens",
  ],
  [
    "ThrottlingException",
    429,
    "Too many requests, please wait before trying again.",
    "throttled",
    "AWS throttles model",
    "--wait-for-quota",
  ],
  [
    "ServiceQuotaExceededException",
    400,
    "Your request exceeds the service quota for your account.",
    "quota-exceeded",
    "quota of this account",
    "Service Quotas",
  ],
  [
    "ModelTimeoutException",
    408,
    "Model has timed out in processing the request. Try your request again.",
    "timeout",
    "took too long",
    "--max-tokens",
  ],
  [
    "ModelNotReadyException",
    429,
    "Model is not ready for inference. Wait and try your request again.",
    "service-unavailable",
    "is not ready",
    "few minutes",
  ],
  [
    "ModelErrorException",
    424,
    "The system encountered an unexpected error during processing. Try your request again.",
    "model-error",
    "failed while it answered",
    "Try again",
  ],
  [
    "ModelStreamErrorException",
    424,
    "The model has produced unexpected output. Try your request again.",
    "model-error",
    "failed while it answered",
    "Try again",
  ],
  [
    "ServiceUnavailableException",
    503,
    "Bedrock is unable to process your request.",
    "service-unavailable",
    "not available in us-east-1",
    "Try again in a minute",
  ],
  [
    "ServiceUnavailableException",
    503,
    "Too many connections, please wait before trying again.",
    "service-unavailable",
    "Too many connections",
    "Try again in a minute",
  ],
  [
    "InternalServerException",
    500,
    "The system encountered an unexpected error during processing. Try your request again.",
    "service-unavailable",
    "not available",
    "Try again in a minute",
  ],
  ["UnknownOperationException", 404, "", "bad-response", `does not know ${ACTION}`, "openclaw doctor"],
];

/** Answers that are not AWS's: status, headers, body; then code, a part of our message and a part of our hint. */
type Foreign = [
  status: number,
  headers: Record<string, string>,
  body: string,
  code: ErrorCode,
  says: string,
  hint: string,
];
const HTML = { "content-type": "text/html" };
const FOREIGN: readonly Foreign[] = [
  [
    302,
    { location: "http://login.wifi/start" },
    "",
    "bad-response",
    "redirect (302 to login.wifi)",
    "Log in",
  ],
  [407, HTML, "<html>Proxy Authentication Required</html>", "network", "demands a login", "HTTPS_PROXY"],
  [413, HTML, "<html>Request Entity Too Large</html>", "bad-response", "answers 413", "Send less"],
  [429, HTML, "<html>slow down</html>", "throttled", "answers 429", "Wait a minute"],
  [503, HTML, "<html>Service Unavailable</html>", "service-unavailable", "answers 503", "Wait a minute"],
  [
    502,
    HTML,
    "<html>Bad Gateway</html>",
    "bad-response",
    "answers 502 with something that is not AWS's",
    "openclaw doctor",
  ],
];

/** A session of this process with an emulator that answers as it is told. */
async function scripted(answer: ScriptedAnswer) {
  const emulator = await startEmulator({ script: () => answer });
  onTestFinished(() => emulator.stop());
  const env = {
    AWS_ACCESS_KEY_ID: "AKIATESTKEYX",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL: emulator.url,
    AWS_MAX_ATTEMPTS: "1",
  };
  const target = { kind: "model", id: MODEL, providerId: "amazon-bedrock" } as const;
  return (await testSession(createHome(), env, { target })).session;
}

/** What becomes of an answer, over a real socket and through the client of every call. */
async function refusal(answer: ScriptedAnswer, action = ACTION): Promise<OpenclawError> {
  const session = await scripted(answer);
  try {
    await callBedrock(session, "CountTokens", { modelId: MODEL, input: { converse: { messages: [] } } });
  } catch (failure) {
    const called = action.startsWith("s3:") ? { bucket: "my-bucket" } : { modelId: MODEL };
    return toOpenclawError(failure, { session, action, ...called });
  }
  throw new Error("It was no error.");
}

it("names how far the clock is off, by the date of the answer", async () => {
  const error = await refusal({
    error: {
      name: "InvalidSignatureException",
      message: "Signature expired: 20261122T101500Z is now earlier than 20261122T102200Z",
      headers: { date: new Date(Date.now() + 65 * 60_000).toUTCString() },
    },
  });
  expect(error.message).toBe("AWS rejects the signature because this machine's clock is 65 minutes slow.");
});

it("names who named an endpoint that cannot be reached, and how to be rid of it", async () => {
  const session = await scripted({ drop: "reset" });
  const failure = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(toOpenclawError(failure, { session, action: ACTION, modelId: MODEL })).toMatchObject({
    code: "network",
    message: expect.stringMatching(
      /^Nothing accepts connections at http:\/\/127\.0\.0\.1:\d+ \(env AWS_ENDPOINT_URL\)\.$/,
    ),
    hint: "Check AWS_ENDPOINT_URL, or: unset AWS_ENDPOINT_URL",
  });
});

describe("what AWS says", () => {
  it.each(WORDINGS)("%s %i: %s", async (name, status, message, code, says, hint, action) => {
    const error = await refusal({ error: { name, status, message } }, action);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).toContain(hint);
    expect(error.requestId).toBeTruthy();
    expect(`${error.message} ${error.hint}`).not.toContain("undefined");
  });

  it.each(FOREIGN)("%i %j %s", async (status, headers, body, code, says, hint) => {
    const error = await refusal({ http: { status, headers, body } });
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).toContain(hint);
    expect(`${error.message} ${error.hint}`).not.toContain("undefined");
  });

  it("tells a mode of data retention that it names as needed, and not the one that the account has", async () => {
    for (const quote of ["'", '"', "`", ""]) {
      const message = `data retention mode ${quote}none${quote} is not available for this model. Use ${quote}provider_data_share${quote}.`;
      const error = await refusal({ error: { name: "ValidationException", status: 400, message } });
      expect(error.code).toBe("model-access");
      expect(error.exitCode).toBe(4);
      expect(error.message).toContain("It needs provider_data_share: AWS may keep");
      expect(error.message).not.toContain("aws_review");
      expect(error.message).not.toContain("keeps nothing");
    }
  });

  it("is covered row by row", () => {
    const hit = new Set<ErrorRow | undefined>([
      ...WORDINGS.map(([name, , message, , , , action]) => findRow(name, message, action)),
      ...FOREIGN.map(([status]) => findRowOfStatus(status)),
    ]);
    const untested = ERROR_TABLE.filter((row) => !hit.has(row));
    expect(untested.map(({ names, pattern }) => `${names.join()} ${pattern?.source ?? ""}`)).toEqual([]);
  });

  it("comes with the status that the table tells", () => {
    const wrong = WORDINGS.filter(([name, status, message, , , , action]) => {
      const told = findRow(name, message, action)?.status ?? 0;
      const [first, last] = typeof told === "number" ? [told, told] : told;
      return status < first || status > last;
    });
    expect(wrong).toEqual([]);
  });

  it("is told in details, a denial by its parts", async () => {
    const [name, status, message] = WORDINGS.find(([, , text]) =>
      text.includes("service control policy"),
    ) ?? ["", 0, ""];
    const { details } = await refusal({ error: { name, status, message } });
    expect(details).toMatchObject({
      awsError: name,
      awsMessage: message,
      action: ACTION,
      isExplicit: true,
      policy: "service control policy",
      resource: "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-opus-4-6-v1",
    });
  });

  it("is told in sentences also where nothing around it is known", () => {
    for (const row of ERROR_TABLE) {
      const context = { message: "", ...(row.names.length === 0 ? { status: 500 } : {}) };
      const said = `${row.message(context)} ${row.hint(context)}`;
      expect(said).not.toMatch(/undefined|null|NaN/);
      expect(said).toMatch(/^[A-Z].+ .+/);
    }
  });

  it("is an exit code of its own kind for every row", () => {
    for (const { code } of ERROR_TABLE) expect(EXIT_CODES[code]).toBeGreaterThan(3);
  });
});

describe("an exception inside the stream", () => {
  const read = async (exception: string, message: string): Promise<unknown> => {
    const session = await scripted({
      stream: [
        { event: "messageStart", payload: { role: "assistant" } },
        { exception, payload: { message } },
      ],
    });
    const bounds = { firstEventMs: 5000, silenceMs: 5000, totalMs: undefined };
    try {
      for await (const event of streamChat(session, { modelId: MODEL, messages: [] }, bounds)) void event;
    } catch (failure) {
      return failure;
    }
    return undefined;
  };

  it.each<[string, string, ErrorCode]>([
    [
      "internalServerException",
      "The system encountered an unexpected error during processing.",
      "service-unavailable",
    ],
    ["modelStreamErrorException", "The model has produced unexpected output.", "model-error"],
    ["validationException", "Output blocked by content filtering policy", "blocked"],
    ["validationException", "Input is too long for requested model.", "input-too-long"],
    ["throttlingException", "Too many tokens, please wait before trying again.", "throttled"],
    ["serviceUnavailableException", "Bedrock is unable to process your request.", "service-unavailable"],
  ])("%s (%s) is %s", async (exception, message, code) => {
    expect(await read(exception, message)).toMatchObject({ code, requestId: expect.any(String) });
  });
});

beforeAll(async () => {
  // Loaded once here, so that the first test is not the one that takes long.
  await import("@aws-sdk/client-bedrock-runtime");
});
