import type { RowEditor } from '../engine/open-engine.ts';

/** First LSN of a database. Each following LSN is one block higher. */
const FIRST_LSN = 0x0000002a_00000100_0001n;
const LSN_STEP = 0x10_0000n;
const LSN_DIGITS = 20;

/** Adds an entry with a time to cdc.lsn_time_mapping. Returns its LSN, which is higher than all earlier ones. */
export function addLsn({ find, insert }: RowEditor, time: string): Uint8Array {
  const known = find('cdc.lsn_time_mapping').map((row) => BigInt(renderLsn(row['start_lsn'])));
  const last = known.reduce((highest, lsn) => (lsn > highest ? lsn : highest), FIRST_LSN);
  const lsn = Buffer.from((last + LSN_STEP).toString(16).padStart(LSN_DIGITS, '0'), 'hex');
  insert('cdc.lsn_time_mapping', {
    start_lsn: lsn,
    tran_begin_time: time,
    tran_end_time: time,
    tran_id: new Uint8Array(6),
    tran_begin_lsn: lsn,
  });
  return lsn;
}

/** Renders an LSN as in messages: `0x0000002A000001100001`. The texts sort in log order. */
export function renderLsn(lsn: unknown): string {
  const bytes = lsn instanceof Uint8Array ? Buffer.from(lsn) : Buffer.alloc(LSN_DIGITS / 2);
  return `0x${bytes.toString('hex').toUpperCase()}`;
}
