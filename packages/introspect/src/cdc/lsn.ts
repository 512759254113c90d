/** A position in the log of SQL Server: 20 hexadecimal digits, which sort as the positions do. */
export type Lsn = string;

const LSN_BYTES = 10;

/** Parses the LSN of `0x0000002A000001100001`, or of Debezium's `0000002a:00000110:0001`; undefined for any other text. */
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

/** An LSN that a query gave; undefined for NULL. */
export function readLsn(value: unknown): Lsn | undefined {
  return Buffer.isBuffer(value) ? value.toString('hex').padEnd(LSN_BYTES * 2, '0') : undefined;
}
