/** An error with a code of Node or of a driver: `ECONNREFUSED`, `28P01`. */
export interface SystemError {
  readonly code: string;
  readonly message: string;
}

/** Codes with which Node refuses a certificate. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

/** Whether a code says that the certificate of the other side is not trusted. */
export function isCertificateError(code: string): boolean {
  return CERTIFICATE_CODE.test(code);
}

/** The innermost error with a code: drivers wrap what the system said. */
export function findSystemError(error: unknown): SystemError | undefined {
  let found: SystemError | undefined;
  const visit = (at: unknown, depth: number): void => {
    if (!(at instanceof Error) || depth > 8) return;
    const code = 'code' in at && typeof at.code === 'string' ? at.code : undefined;
    if (at.name === 'AbortError' || at.name === 'TimeoutError') {
      found = { code: 'ABORT_ERR', message: at.message };
    } else if (code !== undefined) found = { code, message: at.message };
    if (at instanceof AggregateError) for (const one of at.errors) visit(one, depth + 1);
    visit(at.cause, depth + 1);
  };
  visit(error, 0);
  return found;
}
