/** What is shown in place of a secret. */
export const MASK = "****";

const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*)@/i;
/** The same in what is no URL, often because of a character in its password: up to the last `@`. */
const BROKEN_USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/).*@/is;

/** Hides user and password of a URL: `http://****@host/`. Other text is returned as it is. */
export function maskUserInfo(text: string): string {
  return text.replace(URL.canParse(text) ? USER_INFO : BROKEN_USER_INFO, `$1${MASK}@`);
}

/** A URL without user and password: the SDK sends none of them, and nobody is to read them. */
export function withoutUserInfo(text: string): string {
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = "";
  url.password = "";
  return url.href;
}
