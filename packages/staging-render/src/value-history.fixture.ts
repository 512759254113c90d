import type { Random } from '../../../tools/event-model/src/random.ts';
import { type Event, UNAVAILABLE } from './merge.fixture.ts';

/** An expected row. */
interface Row {
  readonly id: number;
  readonly navn: string;
  readonly notat: string | null;
  readonly data: string | null;
  readonly deleted?: boolean;
}

/**
 * Builds events of one key. Sometimes an insert omits a value, as after a changed key, or the insert after a delete is
 * missing.
 */
export function buildHistory(id: number, random: Random): readonly Event[] {
  let isThere = false;
  return Array.from({ length: 12 }, (_, index) => {
    const at = id * 100 + index + 1;
    const isDelete = isThere && random.chance(0.2);
    const value = (name: string) =>
      isDelete ? null : random.chance(isThere ? 0.6 : 0.3) ? UNAVAILABLE : `${name} ${at}`;
    const isInsert = !isThere && random.chance(0.7);
    const event = {
      at,
      id,
      navn: isDelete ? null : `${at}`,
      notat: value('notat'),
      data: jsonText(value('data')),
      __cdc_operation: isDelete ? 'd' : isInsert ? 'c' : 'u',
    };
    isThere = !isDelete;
    return event;
  });
}

function jsonText(value: string | null): string | null {
  return value === null || value === UNAVAILABLE ? value : JSON.stringify(value);
}

/** Builds the expected row of a key: the newest event with the newest value of each large column. */
export function buildRow(history: readonly Event[], soft: boolean): readonly Row[] {
  const last = history.findLast(({ __cdc_operation: operation }) => operation !== 'd');
  const deleted = history.at(-1) !== last;
  if (!last || (deleted && !soft)) return [];
  const known = history.slice(0, history.indexOf(last) + 1);
  return [
    {
      id: last['id'] as number,
      navn: last['navn'] as string,
      notat: newestValue(known, 'notat', soft),
      data: JSON.parse(newestValue(known, 'data', soft) ?? 'null') as string,
      ...(soft && { deleted }),
    },
  ];
}

/** Finds the newest value since the last insert, or since the last delete of a row that is not kept. */
function newestValue(history: readonly Event[], name: string, soft: boolean): string | null {
  const found = history.findLast(
    ({ __cdc_operation: operation, ...event }) =>
      operation === 'c' || (operation === 'd' ? !soft : event[name] !== UNAVAILABLE),
  );
  const value = found?.[name] as string | null | undefined;
  return value === undefined || value === UNAVAILABLE ? null : value;
}

/** Lists all permutations of the items. */
export function permute<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permute(items.toSpliced(index, 1)).map((others) => [item, ...others]),
  );
}

/** Lists all ways to split the items into windows. */
export function cut<Item>(items: readonly Item[]): readonly (readonly (readonly Item[])[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((_, index) =>
    cut(items.slice(index + 1)).map((rest) => [items.slice(0, index + 1), ...rest]),
  );
}
