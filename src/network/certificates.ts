import { X509Certificate } from "node:crypto";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { OpenclawError } from "../errors.ts";
import type { Environment } from "../runtime.ts";

/** A file of certificates to trust in place of Node's own, and who names it. */
export interface CaBundle {
  file: string;
  /** For messages: `AWS_CA_BUNDLE`, or the key of a profile. */
  source: string;
}

export interface NamedProfile {
  name: string;
  keys: Readonly<Record<string, string>>;
}

/**
 * The certificates that the environment names, else the profile in force
 * (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html#cli-config-ca_bundle). Undefined where Node's
 * own count, with those of NODE_EXTRA_CA_CERTS.
 */
export function decideCaBundle(env: Environment, profile: NamedProfile | undefined): CaBundle | undefined {
  const named = env["AWS_CA_BUNDLE"];
  if (named) return { file: named, source: "AWS_CA_BUNDLE" };
  const file = profile?.keys["ca_bundle"];
  return profile && file ? { file, source: `ca_bundle of profile '${profile.name}'` } : undefined;
}

/** Reads a file of certificates. Throws `config-unreadable`, and `config-invalid` for a file that holds none. */
export async function readCertificates({ file, source }: CaBundle): Promise<Buffer> {
  const refused = (
    code: "config-unreadable" | "config-invalid",
    why: string,
    cause?: unknown,
  ): OpenclawError =>
    new OpenclawError(code, {
      message: `${source} names '${file}', ${why}.`,
      hint: `Point ${source} to a file of PEM certificates, or unset it.`,
      cause,
    });
  let bytes: Buffer;
  try {
    ({ bytes } = await readRegularFile(file));
  } catch (cause) {
    if (!(cause instanceof ReadFailure)) throw cause;
    throw refused("config-unreadable", `which cannot be read: ${cause.message}`, cause);
  }
  // Node takes a file without any, and trusts nobody from then on.
  const blocks = bytes
    .toString("latin1")
    .match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^]*?-----END \1?CERTIFICATE-----/g);
  if (!blocks?.some(isCertificate)) throw refused("config-invalid", "which holds no PEM certificate");
  return bytes;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
