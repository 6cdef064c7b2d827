// The parts of the SDK that RestClient is put together from. scripts/build.js bundles this file by itself: in a bundle
// with the SDK's clients each of these would bring along whatever the clients use of the package that it comes from.
export { createDefaultUserAgentProvider, partition, userAgentMiddleware } from "@aws-sdk/core/client";
export { AwsSdkSigV4Signer } from "@aws-sdk/core/httpAuthSchemes";
export { HttpBearerAuthSigner } from "@smithy/core";
export { resolveRegionConfig } from "@smithy/core/config";
export {
  buildQueryString,
  extendedEncodeURIComponent,
  HttpRequest,
  HttpResponse,
  loadRestJsonErrorCode,
} from "@smithy/core/protocols";
export {
  AdaptiveRetryStrategy,
  getRetryAfterHint,
  isServerError,
  isThrottlingError,
  isTransientError,
  StandardRetryStrategy,
} from "@smithy/core/retry";
export { SMITHY_CONTEXT_KEY } from "@smithy/types";
