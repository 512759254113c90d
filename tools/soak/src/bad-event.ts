import type { Random } from '@cdc-migrations/event-model';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { AMOUNT, STATUS } from './random-table.ts';
import type { Fault, SoakEvent } from './soak-event.ts';

interface Spoiling {
  readonly fault: Fault;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Statuses with an SQLSTATE that users' triggers refuse a row with. `later` refuses at the end of the transaction. */
const REFUSED_STATUSES = [
  ...['raise KD001', 'raise 42501', 'raise P0001', 'raise ABCDE', 'raise 23514', 'assert'],
  ...['later KD002', 'later 42501', 'later P0001', 'later 23503'],
];

/** Returns a value of the column `Status` that its type or a trigger of `addRefusals` refuses. */
function refusedStatus(number: number): string {
  const tooLong = 'x'.repeat(21);
  return number % 3 === 0 ? tooLong : REFUSED_STATUSES[number % REFUSED_STATUSES.length]!;
}

/** Changes an event so that no merge can apply it. */
export function makeBad(definition: ReplicatedTable, event: SoakEvent, random: Random): SoakEvent {
  const words = ['x', '', 'cReate', 'message', ...(definition.truncate ? [] : ['t'])];
  const rejected: Spoiling[] = [
    { fault: 'rejected', values: { __kafka_partition: null } },
    { fault: 'rejected', values: { __kafka_offset: null } },
    { fault: 'rejected', values: { __kafka_offset: random.pick(['-1', '9223372036854775807']) } },
    { fault: 'rejected', values: { __stream_generation: '-1' } },
    {
      fault: 'rejected',
      values: { __cdc_operation: random.pick(words) },
    },
    { fault: 'rejected', values: { __cdc_operation: null } },
  ];
  const keys = (definition.key?.columns ?? []).map((name): Spoiling => {
    return { fault: 'rejected', values: { [name]: null } };
  });
  const refused: Spoiling[] = [
    { fault: 'refused', values: { [STATUS]: refusedStatus(Number(/\d+/.exec(event.id)?.[0])) } },
    { fault: 'refused', values: { [STATUS]: null } },
    { fault: 'refused', values: { [AMOUNT]: '1000' } },
    ...malformedValues(definition).map((values): Spoiling => ({ fault: 'refused', values })),
  ];
  const withoutKey: Spoiling[] = definition.key
    ? []
    : [{ fault: 'rejected', values: { __cdc_operation: random.pick(['u', 'DELETE', 'upsert']) } }];
  const isDelete = event.kind === 'delete';
  const choice = [...rejected, ...keys, ...withoutKey, ...(isDelete ? [] : refused)];
  const { fault, values } = random.pick(choice);
  return { ...event, fault, values: { ...event.values, ...values } };
}

/** Texts that staging accepts and the final column refuses. */
const MALFORMED: Readonly<Record<string, string>> = {
  json: '{"a":',
  jsonb: '{"a":\\u0000}',
  xml: '<a><b></a>',
  smallint: '70000',
  integer: '3000000000',
  real: '1e300',
  'bit(8)': '101',
};

function malformedValues({ columns, key }: ReplicatedTable) {
  return columns.flatMap(({ name, type, role }) => {
    const text = MALFORMED[type];
    const isValue = role === 'source' && !key?.columns.includes(name);
    return text === undefined || !isValue ? [] : [{ [name]: text }];
  });
}
