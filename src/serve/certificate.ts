import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import path from "node:path";
import { createSecureContext } from "node:tls";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { readInput, type Input } from "../disk/read-input.ts";
import { rereadFiles } from "../disk/watch-files.ts";
import { OpenclawError, usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** The files of `--tls-cert` and `--tls-key`. */
export interface CertificateFiles {
  tlsCert: string;
  tlsKey: string;
}

/** What a server proves with who it is: PEM. */
export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

/** Older versions are broken: https://www.rfc-editor.org/rfc/rfc8996 */
export const OLDEST_TLS = "TLSv1.2";

/**
 * Reads a certificate with its chain, and its key. Throws `usage` for files that are no such pair, with what is wrong. Warns
 * of a key that others can read, and of a certificate that does not hold now.
 */
export async function readCertificate(
  files: CertificateFiles,
  runtime: Runtime,
  read: (name: string) => Promise<Input> = (name) => readInput(name, runtime),
): Promise<Certificate> {
  const cert = await readPem("--tls-cert", files.tlsCert, read);
  const key = files.tlsKey === files.tlsCert ? cert : await readPem("--tls-key", files.tlsKey, read);
  const first = checkPair(files, cert.bytes, key.bytes);
  const mode = key.stats?.isFile() === true ? key.stats.mode : 0;
  if (runtime.platform !== "win32" && (mode & 0o007) !== 0)
    await runtime.terminal.warn(
      `Others on this machine can read the key '${files.tlsKey}'.`,
      `chmod 600 ${quoteForShell(files.tlsKey)}`,
    );
  const now = runtime.now();
  const isEarly = now < Date.parse(first.validFrom);
  if (isEarly || now > Date.parse(first.validTo))
    await runtime.terminal.warn(
      isEarly
        ? `The certificate '${files.tlsCert}' holds from ${first.validFrom} on only.`
        : `The certificate '${files.tlsCert}' has expired (${first.validTo}).`,
      "Clients refuse it: renew it.",
    );
  return { cert: cert.bytes, key: key.bytes };
}

/**
 * Reads the pair again at SIGHUP and when a file changes, for as long as `runtime` runs. A pair that cannot be used changes
 * nothing: `tell` is told why, and of every new one. What can be read but once, such as a pipe, stays as it is.
 */
export async function keepCertificate(
  files: CertificateFiles,
  runtime: Runtime,
  replace: (certificate: Certificate) => void,
  tell: (text: string) => void,
): Promise<void> {
  const names = [...new Set([files.tlsCert, files.tlsKey])];
  const reload = async (): Promise<void> => {
    try {
      const read = (name: string): Promise<Input> =>
        readRegularFile(path.resolve(runtime.currentFolder, name));
      const certificate = await readCertificate(files, runtime, read);
      replace(certificate);
      tell(
        `The certificate was read again: it holds until ${new X509Certificate(certificate.cert).validTo}.`,
      );
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      tell(`The certificate stays as it is: ${error.message}`);
    }
  };
  await rereadFiles(names, runtime, reload);
}

async function readPem(flag: string, name: string, read: (name: string) => Promise<Input>): Promise<Input> {
  return read(name).catch((cause: unknown) => {
    if (!(cause instanceof ReadFailure)) throw cause;
    throw usageError(
      `${flag} '${name}' cannot be read: ${cause.message}.`,
      "For example: openclaw serve --tls-cert fullchain.pem --tls-key privkey.pem",
    );
  });
}

/** The server's own certificate, the first of the chain. Throws `usage`. */
function checkPair({ tlsCert, tlsKey }: CertificateFiles, cert: Buffer, key: Buffer): X509Certificate {
  const blocks =
    cert.toString("latin1").match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END[^-]*-----/g) ??
    [];
  if (blocks.length === 0) throw noPem("--tls-cert", tlsCert, cert, "certificate", "openssl x509");
  const secret = readKey(tlsKey, key);
  const [first, ...others] = blocks.map((block, index) =>
    parsed(() => new X509Certificate(block), `Certificate ${index + 1} of --tls-cert '${tlsCert}'`),
  );
  // There is one.
  if (first === undefined) throw new TypeError("No certificate.");
  if (!first.checkPrivateKey(secret)) {
    const place = others.findIndex((other) => other.checkPrivateKey(secret)) + 2;
    throw usageError(
      `The key '${tlsKey}' is not that of the certificate '${tlsCert}'${place > 1 ? `, but of its number ${place}` : ""}.`,
      place > 1
        ? "Put the server's own certificate first, and behind it those that signed it."
        : "Name the two files that were made together.",
    );
  }
  parsed(
    () => createSecureContext({ cert, key, minVersion: OLDEST_TLS }),
    `The pair of '${tlsCert}' and '${tlsKey}'`,
  );
  return first;
}

function readKey(name: string, key: Buffer): KeyObject {
  const text = key.toString("latin1");
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text))
    throw usageError(
      `--tls-key '${name}' is encrypted, and nobody is there to type its password.`,
      `Keep one that is not where only this user can read it: (umask 077; openssl pkey -in ${quoteForShell(name)} -out key.pem)`,
    );
  if (!/BEGIN [A-Z ]*PRIVATE KEY/.test(text))
    throw noPem("--tls-key", name, key, "private key", "openssl pkey");
  return parsed(() => createPrivateKey(key), `--tls-key '${name}'`);
}

function noPem(flag: string, name: string, bytes: Buffer, what: string, convert: string): OpenclawError {
  const text = bytes.toString("latin1");
  const isOther = /BEGIN [A-Z0-9 ]*(CERTIFICATE|PRIVATE KEY)-----/.test(text);
  return usageError(
    `${flag} '${name}' holds no ${what} in PEM.`,
    isOther
      ? "Are --tls-cert and --tls-key in each other's place?"
      : `A file of DER is made one of PEM: ${convert} -in ${quoteForShell(name)} -out ${what === "certificate" ? "cert" : "key"}.pem`,
  );
}

/** What work comes to. Throws `usage` for what OpenSSL does not take. */
function parsed<T>(work: () => T, what: string): T {
  try {
    return work();
  } catch (cause) {
    throw new OpenclawError("usage", {
      message: `${what} cannot be used: ${(cause as Error).message}.`,
      hint: "Look at it: openssl x509 -noout -text -in FILE",
      cause,
    });
  }
}
