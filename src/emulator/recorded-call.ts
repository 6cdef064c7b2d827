export interface Permission {
  action: string;
  /** An ARN; `*` for actions without resource types. */
  resource: string;
  /** Condition keys that AWS gives to the policies, such as `bedrock:InferenceProfileArn`. */
  context: Readonly<Record<string, string>>;
}

/** What the emulator saw of one request, in the order the requests came. */
export interface RecordedCall {
  /** AWS's name of the operation, such as `ConverseStream`; `Imds…` for instance metadata; `Unknown`. */
  readonly route: string;
  /** 1 for the first call of this route, 2 for the second: for faults that hit only one of them. */
  readonly nth: number;
  readonly method: string;
  /** The path as it came, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parts of the path that vary, decoded: `modelId`, `identifier`, `role`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, the fields of a form, or the text as it came; undefined without a body. */
  readonly body: unknown;
  /** JSON with each number as it was written, where a real model is to get it. */
  readonly exactBody?: unknown;
  readonly httpVersion: string;
  /** Who signed, from the Authorization header, whether or not the signature held. */
  readonly accessKeyId: string | undefined;
  readonly bearerToken: string | undefined;
  /** Region and service of the signature's scope. */
  readonly region: string | undefined;
  readonly service: string | undefined;
  readonly requestId: string;
  permissions: readonly Permission[];
  /** HTTP status of the answer; undefined until its headers are sent, or when there was none. */
  status: number | undefined;
}
