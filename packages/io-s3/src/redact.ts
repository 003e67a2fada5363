/** Query parameters and header fields that hold signatures, keys or tokens. */
const SIGNED =
  /((?:x-amz-(?:signature|credential|security-token)|signature|credential|awsaccesskeyid|token|secret)\s*[=:]\s*)[^\s&,;'"<>]+/gi;

/** What is shorter is no secret, and would be found everywhere. */
const SHORTEST = 4;

/** A text of the store or the network without secrets: those that are known, and what looks like one. */
export function redact(text: string, secrets: readonly string[]): string {
  const known = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return known.replace(SIGNED, '$1***');
}
