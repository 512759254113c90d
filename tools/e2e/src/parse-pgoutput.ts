/** A value in a change: its text, NULL, or `unchanged` for an unchanged value that is stored out of line. */
export type SourceValue = { readonly text: string } | null | 'unchanged';

/** The part of a row that is in a change, by column. */
export type SourceRow = Readonly<Record<string, SourceValue>>;

/** A change of a source row, as in PostgreSQL's plugin `pgoutput`. */
export interface SourceChange {
  /** `<schema>.<table>` */
  readonly table: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** The old row: its key if the key changed or the row was deleted, or the whole row with REPLICA IDENTITY FULL. */
  readonly before?: SourceRow;
  readonly after?: SourceRow;
}

interface Relation {
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * Parses the changes in messages of `pgoutput`, protocol version 1, in order. Skips begins, commits and other messages.
 *
 * @see https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export function parsePgoutput(messages: readonly Buffer[]): readonly SourceChange[] {
  const relations = new Map<number, Relation>();
  return messages.flatMap((message) => {
    const input = openMessage(message);
    const kind = input.character();
    if (kind === 'R') {
      const oid = input.int32();
      relations.set(oid, readRelation(input));
      return [];
    }
    const read = CHANGES[kind];
    if (!read) return [];
    const relation = relations.get(input.int32());
    if (!relation) throw new Error(`a change (${kind}) of a table that was not announced`);
    return [{ table: relation.table, ...read(input, relation.columns) }];
  });
}

type Input = ReturnType<typeof openMessage>;
type ReadChange = (input: Input, columns: readonly string[]) => Omit<SourceChange, 'table'>;

const CHANGES: Readonly<Record<string, ReadChange>> = {
  I: (input, columns) => {
    input.character();
    return { operation: 'insert', after: readRow(input, columns) };
  },
  U: (input, columns) => {
    const before = input.character() === 'N' ? undefined : readRow(input, columns);
    if (before) input.character();
    return { operation: 'update', ...(before && { before }), after: readRow(input, columns) };
  },
  D: (input, columns) => {
    input.character();
    return { operation: 'delete', before: readRow(input, columns) };
  },
};

function readRelation(input: Input): Relation {
  const [schema, name] = [input.text(), input.text()];
  input.character(); // replica identity
  const columns = Array.from({ length: input.int16() }, () => {
    input.character(); // flag for key columns
    const column = input.text();
    input.int32(); // type
    input.int32(); // facets
    return column;
  });
  return { table: `${schema}.${name}`, columns };
}

function readRow(input: Input, columns: readonly string[]): SourceRow {
  const count = input.int16();
  return Object.fromEntries(columns.slice(0, count).map((name) => [name, readValue(input)]));
}

function readValue(input: Input): SourceValue {
  const kind = input.character();
  if (kind === 'n') return null;
  if (kind === 'u') return 'unchanged';
  return { text: input.bytes(input.int32()).toString('utf8') };
}

/** Reads a message from start to end. */
function openMessage(message: Buffer) {
  let at = 0;
  const bytes = (length: number) => message.subarray(at, (at += length));
  return {
    bytes,
    character: () => bytes(1).toString('latin1'),
    int16: () => bytes(2).readInt16BE(),
    int32: () => bytes(4).readInt32BE(),
    /** Reads a text that ends with a zero byte. */
    text: () => {
      const text = bytes(message.indexOf(0, at) - at).toString('utf8');
      at += 1;
      return text;
    },
  };
}
