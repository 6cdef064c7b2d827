declare module "proxy-from-env" {
  /** The proxy URL that the environment names for a request URL; empty for a direct connection. */
  export function getProxyForUrl(url: string): string;
}
