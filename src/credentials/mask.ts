/**
 * An access key id as it may be shown: first and last four characters. Hidden whole are texts shorter than 12, and what
 * may be a secret key in its place.
 */
export function maskKeyId(id: string): string {
  return id.length < 12 || /^[^\s]*[a-z/+][^\s]*$/.test(id) ? "…" : `${id.slice(0, 4)}…${id.slice(-4)}`;
}

/**
 * Takes out of a foreign text everything that may be a secret: runs of 16 and more characters of the alphabets of
 * keys and tokens that hold a digit. Paths, names and words of that length stay readable.
 */
export function redactSecrets(text: string): string {
  return text.replaceAll(/[A-Za-z0-9+/=_.~-]{16,}/g, (run) =>
    /\d/.test(run) && !/^[./~]/.test(run) && !run.startsWith("arn") ? "…" : run,
  );
}

/** Shortens each access key id in a text of AWS, which holds no other secret. */
export function hideKeyIds(text: string): string {
  return text.replaceAll(/\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b/g, maskKeyId);
}
