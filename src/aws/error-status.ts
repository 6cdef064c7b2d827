/**
 * HTTP status of each error name, from the service models of Bedrock, Bedrock Runtime and Service Quotas; the names that belong
 * to every AWS service are from https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html.
 */
export const ERROR_STATUS = {
  AccessDeniedException: 403,
  ConflictException: 400,
  ExpiredTokenException: 403,
  IllegalArgumentException: 400,
  IncompleteSignatureException: 403,
  InternalServerException: 500,
  InvalidPaginationTokenException: 400,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelStreamErrorException: 424,
  ModelTimeoutException: 408,
  NoSuchResourceException: 400,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  TooManyRequestsException: 400,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  ValidationException: 400,
} as const satisfies Record<string, number>;

export type ErrorName = keyof typeof ERROR_STATUS;
