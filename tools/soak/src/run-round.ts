import { quoteLiteral } from '@cdc-migrations/sql-text';
import { compareOutcome } from './compare-outcome.ts';
import { type Played, playRound } from './play-round.ts';
import { addRefusals } from './refusing-triggers.ts';
import { type Lanes, planRound, type RoundPlan } from './round-plan.ts';
import type { SoakDatabase, SoakTarget } from './soak-target.ts';
import { watchWrites } from './watch-writes.ts';

export interface RoundResult {
  readonly seed: number;
  /** Differences between the result and the model. */
  readonly differences: readonly string[];
  readonly tables: number;
  /** Number of events committed to staging, with repetitions. */
  readonly events: number;
  readonly merges: number;
  readonly accidents: number;
  /** Number of events sent again after a crash. */
  readonly replayed: number;
}

/** Runs a round with a seed in its own database. */
export async function runRound(target: SoakTarget, seed: number): Promise<RoundResult> {
  const plan = planRound(seed);
  const database = await target.openDatabase(plan);
  try {
    await watchWrites(database, plan.tables);
    await addRefusals(database, plan.tables);
    await database.owner.unsafe(renderSettings(plan)).simple();
    const played = await playRound(plan, target, database);
    return {
      seed,
      differences: await compareRound(plan, played, database),
      tables: plan.tables.length,
      events: countEvents(played),
      merges: played.merges,
      accidents: played.accidents,
      replayed: 0,
    };
  } finally {
    await target.dropDatabase(database);
  }
}

export function renderSettings({
  tables,
  batchEvents,
  shrinkAboveBytes,
  lanes,
}: RoundPlan): string {
  const batches = tables.map(
    ({ name }, index) =>
      `UPDATE cdc_management.merge_control SET batch_events = ${batchEvents[index] ?? 'NULL'}
       WHERE table_name = ${quoteLiteral(name)};`,
  );
  const shrink = `UPDATE cdc_management.setting SET value = ${shrinkAboveBytes} WHERE name = 'shrink_above_bytes';`;
  return [shrink, ...batches, ...tables.map(({ name }, n) => renderLanes(name, lanes[n]))].join(
    '\n',
  );
}

function renderLanes(table: string, lanes: Lanes | null | undefined): string {
  if (!lanes) return '';
  const { count, generation } = lanes;
  const inForce =
    generation === null ? '' : `, lane_count = ${count}, lane_generation = ${generation}`;
  return `UPDATE cdc_management.merge_control SET lanes = ${count}${inForce}
    WHERE table_name = ${quoteLiteral(table)};`;
}

async function compareRound(
  { tables }: RoundPlan,
  { delivered, failures }: Played,
  database: SoakDatabase,
): Promise<readonly string[]> {
  const differences = failures.map((failure) => `a merge failed: ${failure}`);
  for (const table of tables) {
    differences.push(...(await compareOutcome(database, table, delivered.get(table)!)));
  }
  const unexplained = await database.superuser.unsafe<{ row: string }[]>(
    `SELECT 'merge_error: ' || row_to_json(e) AS row FROM cdc_management.merge_error AS e
     UNION ALL SELECT 'possible_loss: ' || row_to_json(l) FROM cdc_management.possible_loss AS l`,
  );
  return [...differences, ...unexplained.map(({ row }) => row)];
}

function countEvents({ delivered }: Played): number {
  const counts = [...delivered.values()].flatMap((of) => [...of.values()]);
  return counts.reduce((sum, count) => sum + count, 0);
}
