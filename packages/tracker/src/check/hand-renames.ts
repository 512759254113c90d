import type { ColumnDefinition } from '@cdc-migrations/table-defs';

/** A column that seems to be renamed by hand. */
export interface HandRename {
  /** Name in the definition. */
  readonly name: string;
  /** Name in the target. */
  readonly old: string;
}

/** A column of a definition or of the target. */
export type NamedColumn = Pick<ColumnDefinition, 'name' | 'type' | 'formerly'>;

/**
 * Finds columns of a final or staging table that seem to be renamed by hand, like `cdc_management.hand_renames`. The
 * other table of the same events tells them from columns that are new or left the source. If the definition was applied
 * before, all its columns were there, so both tables can have the old name.
 */
export function findHandRenames(
  wanted: readonly NamedColumn[],
  found: readonly NamedColumn[],
  other: readonly NamedColumn[],
  { isApplied = false }: { readonly isApplied?: boolean } = {},
): readonly HandRename[] {
  const [known, present, elsewhere] = [wanted, found, other].map(
    (columns) => new Set(columns.map(({ name }) => name)),
  ) as [Set<string>, Set<string>, Set<string>];
  const lost = wanted.filter(
    ({ name }) => !present.has(name) && (elsewhere.has(name) || isApplied),
  );
  const isRecorded = (column: NamedColumn) => column.formerly?.some((name) => present.has(name));
  return found
    .filter(({ name }) => !known.has(name))
    .flatMap((old) =>
      lost
        .filter((column) => elsewhere.has(column.name) !== elsewhere.has(old.name))
        .filter((column) => column.type === old.type && !isRecorded(column))
        .map(({ name }) => ({ name, old: old.name })),
    );
}
