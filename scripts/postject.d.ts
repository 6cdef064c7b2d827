/** https://github.com/nodejs/postject: the part that is used here; the package has no types. */
declare module "postject" {
  /** Puts bytes into an executable under a name, and flips the fuse that says so. */
  export function inject(
    executable: string,
    resource: string,
    bytes: Buffer,
    options: { sentinelFuse: string },
  ): Promise<void>;
}
