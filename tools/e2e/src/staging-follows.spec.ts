import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { compareStructure } from './compare-structure.ts';
import { mergeTable } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { readStructure } from './read-structure.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);

function withColumns(
  change: (columns: readonly ColumnDefinition[]) => readonly ColumnDefinition[],
): ReplicatedTable {
  return { ...ORDER_LINJER, columns: change(ORDER_LINJER.columns) };
}

function without(columns: readonly string[], event: ChangeEvent): ChangeEvent {
  const values = Object.entries(event.values).filter(([name]) => !columns.includes(name));
  return { ...event, values: Object.fromEntries(values) };
}

describe('a staging table', () => {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await startMergeTarget();
    ({ sink, owner } = target);
  });
  beforeEach(() => target.apply(ORDER_LINJER));
  afterEach(async () => {
    await target.reset(ORDER_LINJER);
    await target.drop(ORDER_LINJER);
  });
  afterAll(() => target.stop());

  const stage = (...events: readonly ChangeEvent[]) =>
    stageEvents(sink, TENANT, ORDER_LINJER, events);
  const merge = () => mergeTable(sink, TENANT, ORDER_LINJER);

  it('gets a new column of the final table, and keeps staged events', async () => {
    await stage(orderEvent({ OrderID: '1', __kafka_offset: '1' }));
    const grown = withColumns((columns) => [
      { name: 'Ny kolonne', role: 'source', type: 'character varying(5)', nullable: true },
      ...columns,
    ]);
    await target.apply(grown);
    await stage(orderEvent({ OrderID: '2', 'Ny kolonne': 'abc', __kafka_offset: '2' }));
    await merge();
    expect(await owner.unsafe(`SELECT "OrderID", "Ny kolonne" FROM ${FINAL} ORDER BY 1`)).toEqual([
      { OrderID: 1, 'Ny kolonne': null },
      { OrderID: 2, 'Ny kolonne': 'abc' },
    ]);
  });

  it('accepts values of a wider type of the final table', async () => {
    await stage(orderEvent({ OrderID: '1', __kafka_offset: '1' }));
    await merge();
    const wider = withColumns((columns) =>
      columns.map((column) =>
        column.name === 'Antall'
          ? { ...column, type: 'bigint' }
          : column.name === 'Tekst'
            ? { ...column, type: 'character varying(100)' }
            : column,
      ),
    );
    await target.apply(wider);
    const values = { Antall: '9007199254740993', Tekst: 'longer than ten' };
    await stage(orderEvent({ ...values, OrderID: '2', __kafka_offset: '2' }));
    await merge();
    const [table] = await readStructure(owner, [TENANT]);
    expect(table && compareStructure(wider, table)).toEqual([]);
    expect(await owner.unsafe(`SELECT "Antall"::text, "Tekst" FROM ${FINAL} ORDER BY 1`)).toEqual([
      { Antall: '2', Tekst: 'tekst' },
      values,
    ]);
  });

  it('renames a column, and keeps events that are staged under the old name', async () => {
    await stage(orderEvent({ OrderID: '1', Status: 'merged', __kafka_offset: '1' }));
    await merge();
    await stage(orderEvent({ OrderID: '2', Status: 'staged', __kafka_offset: '2' }));
    await target.apply(
      withColumns((columns) =>
        columns.map((column) =>
          column.name === 'Status' ? { ...column, name: 'Tilstand', formerly: ['Status'] } : column,
        ),
      ),
    );
    const event = orderEvent({ OrderID: '3', Tilstand: 'new', __kafka_offset: '3' });
    await stage(without(['Status'], event));
    await merge();
    expect(await owner.unsafe(`SELECT "OrderID", "Tilstand" FROM ${FINAL} ORDER BY 1`)).toEqual([
      { OrderID: 1, Tilstand: 'merged' },
      { OrderID: 2, Tilstand: 'staged' },
      { OrderID: 3, Tilstand: 'new' },
    ]);
    expect(await owner`SELECT * FROM cdc_management.dead_letter`).toEqual([]);
  });

  it('renames a large column, and keeps the positions of its values', async () => {
    const left = '__debezium_unavailable_value';
    await stage(orderEvent({ Notat: 'first', __kafka_offset: '1' }));
    await stage(orderEvent({ Notat: left, __kafka_offset: '3' }));
    await merge();
    await target.apply(
      withColumns((columns) =>
        columns.map((column) =>
          column.name === 'Notat' ? { ...column, name: 'Merknad', formerly: ['Notat'] } : column,
        ),
      ),
    );
    await stage(without(['Notat'], orderEvent({ Merknad: 'late', __kafka_offset: '2' })));
    await merge();
    expect(await owner.unsafe(`SELECT "Merknad" FROM ${FINAL}`)).toEqual([{ Merknad: 'late' }]);
  });

  it('accepts events without a column that left the source, whose merged values are kept', async () => {
    await stage(orderEvent({ OrderID: '1', __kafka_offset: '1' }));
    await merge();
    await target.apply(withColumns((columns) => columns.filter(({ name }) => name !== 'Status')));
    await stage(without(['Status'], orderEvent({ OrderID: '2', __kafka_offset: '2' })));
    await merge();
    expect(await owner.unsafe(`SELECT "OrderID", "Status" FROM ${FINAL} ORDER BY 1`)).toEqual([
      { OrderID: 1, Status: 'ny' },
      { OrderID: 2, Status: null },
    ]);
    expect(await owner`SELECT * FROM cdc_management.dead_letter`).toEqual([]);
  });

  it('accepts deletes that contain only the key', async () => {
    await stage(orderEvent({ OrderID: '1', __kafka_offset: '1' }));
    await merge();
    const all = ORDER_LINJER.columns.map(({ name }) => name);
    const position = ['__source_db', '__source_table', '__kafka_partition', '__kafka_offset'];
    const carried = new Set(['OrderID', 'LinjeNr', '__cdc_operation', ...position]);
    const event = orderEvent({ __cdc_operation: 'd', __kafka_offset: '2' });
    await stage(
      without(
        all.filter((name) => !carried.has(name)),
        event,
      ),
    );
    await merge();
    expect(await owner.unsafe(`SELECT count(*)::integer AS n FROM ${FINAL}`)).toEqual([{ n: 0 }]);
  });
});
