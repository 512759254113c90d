import {
  schemaLabel,
  TYPE_NOTES,
  type Exactness,
  type TableDefinition,
  type TypeNoteCode,
} from '@cdc-migrations/table-defs';

/** A column with a note about its type: an item of `types --json`. */
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

/** Lists columns that are not exact or have another note, in the order of the tables. */
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

/** A name in PostgreSQL that differs from the source, because it is longer than 63 bytes or not ASCII. */
export interface OtherName {
  readonly set: string;
  readonly service: string;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly source: string;
}

/** Lists columns and staging tables whose names differ from the source, in the order of the tables. */
export function listOtherNames(tables: readonly TableDefinition[]): readonly OtherName[] {
  return tables.flatMap((table): readonly OtherName[] => {
    if (table.kind === 'existing') return [];
    const { set, service, name, names } = table;
    const at = { set, service, schema: schemaLabel(table), table: name };
    const staging = `stg_${name}`;
    return [
      ...(names.staging === staging ? [] : [{ ...at, name: names.staging, source: staging }]),
      ...table.columns
        .filter((column) => column.source && column.source.name !== column.name)
        .map((column) => ({ ...at, name: column.name, source: column.source!.name })),
    ];
  });
}
