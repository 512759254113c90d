import type { FileState, Status } from '@cdc-migrations/tracker';
import type { Table } from '../report-lines.ts';
import type { TargetWave } from '../target/open-targets.ts';

/** How far a wave is: schemas by the worst state of their files. */
export interface WaveStatus {
  readonly wave: string;
  readonly customers: number;
  readonly applied: number;
  readonly pending: number;
  readonly failed: number;
}

const FAILED: ReadonlySet<FileState> = new Set(['failed', 'unsafe', 'edited', 'missing']);

/** Counts the schemas of each wave, as far as they are part of a status. */
export function countWaves(
  waves: readonly TargetWave[],
  { schemas: found }: Status,
): readonly WaveStatus[] {
  const states = new Map(
    found.map(({ schema, files }) => [schema, new Set(files.map(({ state }) => state))]),
  );
  return waves.map(({ name, schemas }) => {
    const own = schemas.flatMap((schema) => states.get(schema) ?? []);
    const failed = own.filter((each) => [...each].some((state) => FAILED.has(state))).length;
    const applied = own.filter((each) => [...each].every((state) => state === 'applied')).length;
    const pending = own.length - failed - applied;
    return { wave: name, customers: own.length, applied, pending, failed };
  });
}

/** A row for each wave. */
export function renderWaves(waves: readonly WaveStatus[]): readonly Table[] {
  if (waves.length === 0) return [];
  return [
    {
      head: ['wave', 'customers', 'applied', 'pending', 'failed'],
      rows: waves.map(({ wave, ...counts }) => [wave, ...Object.values(counts).map(String)]),
      isNumber: (column) => column > 0,
    },
  ];
}
