/** A value of a row in a change: its text, NULL, or `unchanged` for one that is stored out of line and stayed as it was. */
export type SourceValue = { readonly text: string } | null | 'unchanged';

/** A row as far as a change has it, by column. */
export type SourceRow = Readonly<Record<string, SourceValue>>;

/** A change of a row of a source, as PostgreSQL's plugin `pgoutput` gives it. */
export interface SourceChange {
  /** `<schema>.<table>` */
  readonly table: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** What was: the key, where it changed or the row is gone, or the whole row with REPLICA IDENTITY FULL. */
  readonly before?: SourceRow;
  readonly after?: SourceRow;
}

interface Relation {
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * The changes in messages of `pgoutput`, protocol version 1, in their order. Begins, commits and the like are left out.
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
    input.character(); // whether it is part of the key
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

/** Reads a message from its beginning to its end. */
function openMessage(message: Buffer) {
  let at = 0;
  const bytes = (length: number) => message.subarray(at, (at += length));
  return {
    bytes,
    character: () => bytes(1).toString('latin1'),
    int16: () => bytes(2).readInt16BE(),
    int32: () => bytes(4).readInt32BE(),
    /** Text that ends with a zero byte. */
    text: () => {
      const text = bytes(message.indexOf(0, at) - at).toString('utf8');
      at += 1;
      return text;
    },
  };
}
