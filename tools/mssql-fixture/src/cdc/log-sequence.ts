import type { RowEditor } from '../engine/edit-rows.ts';

/** First LSN of a database. Each following LSN is one block higher. */
const FIRST_LSN = 0x0000002a_00000100_0001n;
const LSN_STEP = 0x10_0000n;
const LSN_BYTES = 10;

/** Adds an entry with a time to cdc.lsn_time_mapping. Returns its LSN, which is higher than all earlier ones. */
export function addLsn(rows: RowEditor, time: string): Uint8Array {
  const known = rows.find('cdc.lsn_time_mapping').map((row) => lsnNumber(row['start_lsn']));
  const last = known.reduce((highest, lsn) => (lsn > highest ? lsn : highest), FIRST_LSN);
  const lsn = lsnBytes(last + LSN_STEP);
  rows.insert('cdc.lsn_time_mapping', {
    start_lsn: lsn,
    tran_begin_time: time,
    tran_end_time: time,
    tran_id: Uint8Array.of(0, 0, 0, 0, 0, 0),
    tran_begin_lsn: lsn,
  });
  return lsn;
}

/** Renders an LSN as in messages: `0x0000002A000001100001`. */
export function renderLsn(lsn: Uint8Array): string {
  return `0x${Buffer.from(lsn).toString('hex').toUpperCase()}`;
}

function lsnNumber(value: unknown): bigint {
  return value instanceof Uint8Array ? BigInt(`0x${Buffer.from(value).toString('hex')}`) : 0n;
}

function lsnBytes(lsn: bigint): Uint8Array {
  return Buffer.from(lsn.toString(16).padStart(LSN_BYTES * 2, '0'), 'hex');
}
