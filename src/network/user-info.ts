/** What is shown in place of a secret. */
export const MASK = "****";

const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*)@/i;
/** The same in what is no URL, often because of a character in its password or its scheme: up to the last `@`. */
const BROKEN_USER_INFO = /^([^/@]*:\/\/).*@/s;

/** Hides user and password of a URL: `http://****@host/`. Other text is returned as it is. */
export function maskUserInfo(text: string): string {
  // Most texts have neither.
  if (!text.includes("@")) return text;
  return text.replace(URL.canParse(text) ? USER_INFO : BROKEN_USER_INFO, `$1${MASK}@`);
}

/** `${NAME}` says where a secret is, not what it is; also behind the word of a scheme. */
const REFERENCE = /^(?:\w+ )?\$\{\w+\}$/;
/** A field of a URL's query with a secret: `?apiKey=…`. */
const SECRET_QUERY = /([?&][^=&#]*(?:key|secret|token|password|auth|sig(?:nature)?)=)([^&#]+)/gi;

/** A secret as it may be shown. */
export function masked(secret: string): string {
  return REFERENCE.test(secret) ? secret : MASK;
}

/** Hides user and password of a URL, and what its query names a secret. Other text is returned as it is. */
export function maskUrl(text: string): string {
  return maskUserInfo(text).replace(SECRET_QUERY, (_, name: string, secret: string) => name + masked(secret));
}

/** A URL with a user and password anywhere in a text. */
const USER_INFO_WITHIN = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"'<>]+@/gi;

/** Hides user and password of each URL in a text. */
export function maskUserInfoWithin(text: string): string {
  return text.replaceAll(USER_INFO_WITHIN, `$1${MASK}@`);
}

/**
 * A user or password of a URL as it is meant. A % that encodes nothing stands for itself, as for curl; undefined for what
 * is not UTF-8.
 */
export function decodeUserInfo(text: string): string | undefined {
  return percentDecoded(text.replaceAll(/%(?![\da-f]{2})/gi, "%25"));
}

/** A text without its percent-encoding; undefined where a % encodes nothing, or no UTF-8. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
