/** A position in the transaction log of SQL Server (LSN) as 20 hexadecimal digits. The texts sort in log order. */
export type Lsn = string;

const LSN_BYTES = 10;

/**
 * Parses an LSN of the form `0x0000002A000001100001`, or Debezium's `0000002a:00000110:0001`. Returns undefined for any
 * other text.
 */
export function parseLsn(text: string): Lsn | undefined {
  const trimmed = text.trim().toLowerCase();
  const digits = /^0x[\da-f]{20}$/.test(trimmed)
    ? trimmed.slice(2)
    : /^[\da-f]{8}:[\da-f]{8}:[\da-f]{4}$/.test(trimmed)
      ? trimmed.replaceAll(':', '')
      : undefined;
  return digits;
}

/** Formats an LSN as SQL Server writes it. */
export function formatLsn(lsn: Lsn): string {
  return `0x${lsn.toUpperCase()}`;
}

/** Converts an LSN from a query. Returns undefined for NULL. */
export function readLsn(value: unknown): Lsn | undefined {
  return Buffer.isBuffer(value) ? value.toString('hex').padEnd(LSN_BYTES * 2, '0') : undefined;
}
