import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import type { Delivery } from './round-plan.ts';
import { comparePositions, type SoakEvent } from './soak-event.ts';

/** A stream to replay. */
export interface Loss {
  readonly table: string;
  readonly partition: number;
  readonly generation: number;
  readonly replayFrom: number;
  readonly cause: string;
}

export async function readPossibleLoss(sql: Sql): Promise<readonly Loss[]> {
  const rows = await sql<(Omit<Loss, 'replayFrom'> & { replayFrom: string })[]>`
    SELECT table_name AS table, kafka_partition AS partition, stream_generation AS generation,
      replay_from::text AS "replayFrom", cause
    FROM cdc_management.possible_loss`;
  return rows.map((row) => ({ ...row, replayFrom: Number(row.replayFrom) }));
}

const EVENTS_PER_DELIVERY = 40;

/** Returns the deliveries that a consumer sends again after a reset to these offsets. */
export function replayDeliveries(
  losses: readonly Loss[],
  sent: ReadonlyMap<ReplicatedTable, ReadonlyMap<SoakEvent, number>>,
): readonly Delivery[] {
  return [...sent].flatMap(([table, counts]) =>
    losses
      .filter((loss) => loss.table === table.name)
      .flatMap(({ partition, generation, replayFrom }) => {
        const events = [...counts.keys()]
          .filter(
            (event) =>
              event.partition === partition &&
              event.generation === generation &&
              event.offset >= replayFrom,
          )
          .sort(comparePositions);
        return cut(events).map((some): Delivery => ({
          table,
          events: some,
          end: 'commit',
          waitMs: 0,
        }));
      }),
  );
}

function cut(events: readonly SoakEvent[]): readonly (readonly SoakEvent[])[] {
  return Array.from({ length: Math.ceil(events.length / EVENTS_PER_DELIVERY) }, (_, n) =>
    events.slice(n * EVENTS_PER_DELIVERY, (n + 1) * EVENTS_PER_DELIVERY),
  );
}
