import {
  schemaLabel,
  TYPE_NOTES,
  type Exactness,
  type TableDefinition,
  type TypeNoteCode,
} from '@cdc-migrations/table-defs';

/** A column with something to say of its type: an item of what `types --json` prints. */
export interface NotedColumn {
  readonly set: string;
  readonly service: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly source: {
    readonly database: string;
    readonly schema: string;
    readonly table: string;
    readonly column: string;
    readonly type: string;
  };
  readonly exactness: Exactness;
  readonly code: TypeNoteCode;
  readonly reason: string;
  readonly advice: string;
}

/** Columns that are not exact, or of which there is something else to say, in the order of the tables. */
export function listNotedColumns(tables: readonly TableDefinition[]): readonly NotedColumn[] {
  return tables.flatMap((table) =>
    table.columns.flatMap(({ name, type, source, exactness, code, reason }) => {
      if (!code || !exactness || !source) return [];
      const { set, service } = table;
      return {
        ...{ set, service, schema: schemaLabel(table), table: table.name, column: name, type },
        source: { ...table.source, column: source.name, type: source.type },
        ...{ exactness, code, reason: reason!, advice: TYPE_NOTES[code].advice },
      };
    }),
  );
}
