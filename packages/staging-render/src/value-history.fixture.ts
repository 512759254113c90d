import { type Event, UNAVAILABLE } from './merge.fixture.ts';

/** A row as it must be stored. */
interface Row {
  readonly id: number;
  readonly navn: string;
  readonly notat: string | null;
  readonly data: string | null;
  readonly deleted?: boolean;
}

/** Events of one key as a source makes them: a value is left out only of a row that is there. */
export function buildHistory(id: number, random: () => number): readonly Event[] {
  let isThere = false;
  return Array.from({ length: 12 }, (_, index) => {
    const at = id * 100 + index + 1;
    const isDelete = isThere && random() < 0.15;
    const value = (name: string) =>
      isDelete ? null : isThere && random() < 0.6 ? UNAVAILABLE : `${name} ${at}`;
    const event = {
      at,
      id,
      navn: isDelete ? null : `${at}`,
      notat: value('notat'),
      data: jsonText(value('data')),
      __cdc_operation: isDelete ? 'd' : isThere ? 'u' : 'c',
    };
    isThere = !isDelete;
    return event;
  });
}

function jsonText(value: string | null): string | null {
  return value === null || value === UNAVAILABLE ? value : JSON.stringify(value);
}

/** What must be stored of a key: the newest event, and of each large column the newest value. */
export function buildRow(history: readonly Event[], soft: boolean): readonly Row[] {
  const upserts = history.filter(({ __cdc_operation: operation }) => operation !== 'd');
  const last = upserts.at(-1);
  const deleted = history.at(-1) !== last;
  if (!last || (deleted && !soft)) return [];
  const value = (name: string) => {
    const found = upserts.findLast((event) => event[name] !== UNAVAILABLE)?.[name] as string;
    return found;
  };
  return [
    {
      id: last['id'] as number,
      navn: last['navn'] as string,
      notat: value('notat'),
      data: JSON.parse(value('data')) as string,
      ...(soft && { deleted }),
    },
  ];
}

/** The items in a random order. */
export function shuffle<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** Numbers between 0 and 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
