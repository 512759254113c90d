import { randomInt, randomUUID } from 'node:crypto';

/** Source in an event. */
interface Origin {
  readonly name: string;
  readonly db: string;
  readonly schema: string;
  readonly table: string;
}

export interface Poisoned {
  readonly kind: string;
  /** `<service>.<table>` */
  readonly table: string;
  readonly becomes: 'dead' | 'refused';
  readonly reason: RegExp;
  readonly build: (origin: Origin) => string | Buffer;
}

type Row = Readonly<Record<string, unknown>>;

interface Victim {
  /** A row that could be merged. */
  readonly row: () => Row;
  readonly key: string;
  readonly text: string;
  /** A column whose type does not accept every text. */
  readonly typed: string;
  readonly short?: string;
}

const VICTIMS: Readonly<Record<string, Victim>> = {
  'chat.users': {
    row: () => ({ user_id: randomUUID(), customer_id: randomUUID(), nick: 'n', locale: 'nb' }),
    ...{ key: 'user_id', text: 'nick', typed: 'customer_id', short: 'locale' },
  },
  'directory.customer_user': {
    row: () => ({ customer_id: randomUUID(), user_id: randomUUID(), user_name: 'n' }),
    ...{ key: 'user_id', text: 'user_name', typed: 'adopus_actno', short: 'email' },
  },
  'directory.roles': {
    // A key that no event of the source has, because the source could have deleted its row.
    row: () => ({ role_id: -randomInt(1e9, 2e9), customer_id: randomUUID(), name: 'n' }),
    ...{ key: 'role_id', text: 'name', typed: 'valid', short: 'name' },
  },
  'proxy.route_headers': {
    row: () => ({ route_id: -7, name: randomUUID(), customer_id: randomUUID(), value: 'n' }),
    ...{ key: 'name', text: 'value', typed: 'route_id' },
  },
};

function event(origin: Origin, after: Row, op = 'c'): string {
  return JSON.stringify({ op, before: null, after, source: { ...origin, ts_ms: 1 } });
}

type Kind = Pick<Poisoned, 'becomes' | 'reason'> & {
  readonly build: (origin: Origin, victim: Victim) => string | Buffer;
};

const KINDS: Readonly<Record<string, Kind>> = {
  'NUL in a text': {
    becomes: 'refused',
    reason: /invalid byte sequence for encoding "UTF8": 0x00/,
    build: (origin, { row, text }) => event(origin, { ...row(), [text]: 'a\0b' }),
  },
  'no UTF-8': {
    becomes: 'refused',
    reason: /not UTF-8/,
    build: (origin, { row, text }) =>
      Buffer.from(event(origin, { ...row(), [text]: 'aÿb' }), 'latin1'),
  },
  'no JSON': {
    becomes: 'refused',
    reason: /expected an event with source/,
    build: (origin, { row }) => event(origin, row()).slice(0, -5),
  },
  'an unknown column': {
    becomes: 'refused',
    reason: /unknown column "Ukjent, \\"kolonne\\""/,
    build: (origin, { row }) => event(origin, { ...row(), 'Ukjent, "kolonne"': 1 }),
  },
  'a word of another type': {
    becomes: 'refused',
    reason: /invalid input syntax for type|malformed range literal/,
    build: (origin, { row, typed }) => event(origin, { ...row(), [typed]: 'word' }),
  },
  'a text that is too long': {
    becomes: 'dead',
    reason: /value too long for type character varying/,
    build: (origin, { row, short = '' }) => event(origin, { ...row(), [short]: 'x'.repeat(500) }),
  },
  'an unknown operation': {
    becomes: 'dead',
    reason: /operation/,
    build: (origin, { row }) => event(origin, row(), 'x'),
  },
  'no key': {
    becomes: 'dead',
    reason: /key/,
    build: (origin, { row, key }) => event(origin, { ...row(), [key]: undefined }),
  },
};

/** Events that must not be merged, each kind for several tables. */
export const POISONS: readonly Poisoned[] = Object.entries(KINDS).flatMap(
  ([kind, { build, ...rest }]) =>
    Object.entries(VICTIMS)
      .filter(([, { short }]) => short !== undefined || kind !== 'a text that is too long')
      .map(([table, victim]) => ({
        kind,
        table,
        ...rest,
        build: (origin: Origin) => build(origin, victim),
      })),
);
