import type { Random } from '@cdc-migrations/event-model';
import type { MssqlDatabase, SqlValue } from '@cdc-migrations/mssql-fixture';

export type Row = Readonly<Record<string, SqlValue>>;

/** A table with captured changes, and its rows after all transactions. */
export interface CapturedTable {
  /** `dbo.Linje` */
  readonly name: string;
  readonly key: readonly string[];
  /** Rows by key. */
  readonly rows: Map<string, Row>;
}

/** A row of a change table without its LSN. */
export interface Change {
  readonly command: number;
  /** Sequence number in the transaction. Changes of one row share it. */
  readonly sequence: number;
  /** 1 is a delete, 2 an insert, 3 the row before and 4 the row after an update. */
  readonly operation: 1 | 2 | 3 | 4;
  readonly row: Row;
}

/** The log of a source with the position of the next transaction. */
export interface ChangeLog {
  /** Captures a transaction: writes its changes to the change table, then its LSN. Returns the LSN. */
  capture(table: Pick<CapturedTable, 'name'>, changes: readonly Change[]): string;
  /** Continues in another log file (VLF). */
  switchFile(file: number): void;
}

export function openChangeLog(database: MssqlDatabase, random: Random): ChangeLog {
  let [file, block, slot] = [0x2b, 0x10, 1];
  return {
    switchFile(next) {
      [file, block, slot] = [next, 0x10, 1];
    },
    capture({ name }, changes) {
      if (random.chance(0.5)) [block, slot] = [block + random.integer(1, 1e6), 1];
      else slot += random.integer(1, 9);
      const lsn = Buffer.alloc(10);
      lsn.writeUInt32BE(file, 0);
      lsn.writeUInt32BE(block, 4);
      lsn.writeUInt16BE(slot, 8);
      database.insertRows(
        `cdc.${name.replace('.', '_')}_CT`,
        changes.map(({ command, sequence, operation, row }) => ({
          ...row,
          __$start_lsn: lsn,
          __$seqval: Buffer.concat([
            lsn.subarray(0, 8),
            Buffer.from([sequence >> 8, sequence & 255]),
          ]),
          __$operation: operation,
          __$command_id: command,
        })),
      );
      const time = new Date().toISOString().slice(0, 23);
      database.insert('cdc.lsn_time_mapping', {
        start_lsn: lsn,
        tran_begin_time: time,
        tran_end_time: time,
        tran_id: Buffer.alloc(6),
        tran_begin_lsn: lsn,
      });
      return `0x${lsn.toString('hex').toUpperCase()}`;
    },
  };
}

export function keyOf({ key }: Pick<CapturedTable, 'key'>, row: Row): string {
  return JSON.stringify(key.map((name) => String(row[name])));
}

/** Kind of change of a statement. */
export interface Changer {
  readonly random: Random;
  /** Builds a row with one of a few keys. */
  buildRow(random: Random): Row;
}

/**
 * Builds a transaction of a few statements as rows of the change table: inserts, updates, deletes, and updates that
 * swap keys, whose deletes and inserts have any order.
 */
export function changeAtRandom(
  table: CapturedTable,
  { random, buildRow }: Changer,
): readonly Change[] {
  const changes: Change[] = [];
  let sequence = 0;
  for (let command = 1; command <= random.integer(1, 4); command++) {
    const add = (operation: Change['operation'], row: Row, at: number) =>
      changes.push({ command, sequence: at, operation, row });
    const rows = [...table.rows.values()];
    if (rows.length > 1 && random.chance(0.25)) {
      const moved = random.shuffle(rows).slice(0, random.integer(2, 4));
      const targets = moved.map((_, n) => moved[(n + 1) % moved.length]!);
      moved.forEach((row, n) => {
        const keys = Object.fromEntries(table.key.map((name) => [name, targets[n]![name]!]));
        const after = { ...row, ...keys };
        add(1, row, ++sequence);
        add(2, after, sequence);
        table.rows.set(keyOf(table, after), after);
      });
      continue;
    }
    const row = buildRow(random);
    const before = table.rows.get(keyOf(table, row));
    if (before && random.chance(0.4)) {
      add(1, before, ++sequence);
      table.rows.delete(keyOf(table, row));
    } else if (before) {
      add(3, before, ++sequence);
      add(4, row, sequence);
      table.rows.set(keyOf(table, row), row);
    } else {
      add(2, row, ++sequence);
      table.rows.set(keyOf(table, row), row);
    }
  }
  return random.chance(0.5) ? changes : random.shuffle(changes);
}
