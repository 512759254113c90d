import type { FileState, SchemaStatus, Status } from '@cdc-migrations/tracker';
import type { Table } from '../report-lines.ts';
import { nameSchema } from '../target/name-schema.ts';

/** States in the order of the columns. The worst is last. */
const STATES: readonly FileState[] = [
  'applied',
  'pending',
  'outdated',
  'missing',
  'edited',
  'unsafe',
  'failed',
];

/** Maximum number of schemas with a line each. Above it only schemas with open files have one. */
const SHOWN_SCHEMAS = 60;
/** Maximum number of named files in a schema. */
const SHOWN_FILES = 5;

/**
 * Renders schemas with the number of files in each state, and the names of files that are not applied:
 *
 *     schema applied pending
 *     (database) 2 -
 *     osloprod 77 1 staging/Actor-staging.sql
 */
export function renderMatrix({ schemas }: Status): readonly Table[] {
  const open = schemas.filter(isOpen);
  const shown = schemas.length > SHOWN_SCHEMAS ? open : schemas;
  const states = STATES.filter((state) => countAll(schemas, state) > 0);
  if (states.length === 0) return [];
  const rows = shown.map((one) => [
    nameSchema(one.schema),
    ...states.map((state) => String(count(one, state) || '-')),
    namesOf(one),
  ]);
  const total = ['all', ...states.map((state) => String(countAll(schemas, state))), ''];
  const isCount = (column: number) => column > 0 && column <= states.length;
  const head = ['schema', ...states, ''];
  return [{ head, rows: [...rows, ...(schemas.length > 2 ? [total] : [])], isNumber: isCount }];
}

function isOpen({ files }: SchemaStatus): boolean {
  return files.some(({ state }) => state !== 'applied');
}

function count({ files }: SchemaStatus, state: FileState): number {
  return files.filter((file) => file.state === state).length;
}

function countAll(schemas: readonly SchemaStatus[], state: FileState): number {
  return schemas.reduce((sum, one) => sum + count(one, state), 0);
}

/** Returns the names of the open files if they are few and not all files. */
function namesOf({ files }: SchemaStatus): string {
  const open = files.filter(({ state }) => state !== 'applied');
  if (open.length === 0 || open.length === files.length) return '';
  const names = open.slice(0, SHOWN_FILES).map(({ path }) => path);
  const more = open.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
