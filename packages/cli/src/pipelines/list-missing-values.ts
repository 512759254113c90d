import type { ColumnTemplate } from '@cdc-migrations/config';
import type { Problem } from '@cdc-migrations/shape';
import { shortName } from '@cdc-migrations/sql-text';
import type { BentoParts } from './render-bento.ts';
import type { Flow, FlowTable } from './plan-flows.ts';

/**
 * Lists values that the pipelines would not have: NOT NULL template columns without a value, and customers without the
 * `customer_id` that a value uses. PostgreSQL would refuse each event.
 */
export function listMissingValues(
  flows: readonly Flow[],
  { templates, transforms }: BentoParts,
): readonly Problem[] {
  const problems = flows.flatMap((flow) => [
    ...flow.tables.flatMap((each) => listEmptyColumns(each, templates)),
    ...listMissingIds(flow, { templates, transforms }),
  ]);
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

type Templates = ReadonlyMap<string, ColumnTemplate>;

/** A template column of a table, and the expression of its value. */
interface AddedColumn {
  readonly template: ColumnTemplate;
  readonly type: string;
  /** True if it is NOT NULL and has no default. */
  readonly needsValue: boolean;
  readonly value: string | undefined;
}

/** Lists the template columns that do not come from a column of the source. */
function addedColumns({ table, sink }: FlowTable, templates: Templates): readonly AddedColumn[] {
  return sink.columnTemplates.flatMap((use) => {
    const template = templates.get(use.template)!;
    const name = shortName(use.name ?? template.name);
    const column = table.columns.find((one) => one.name === name && one.role === 'template');
    if (!column) return [];
    const needsValue = !column.nullable && column.default === undefined;
    return { template, type: column.type, needsValue, value: use.value ?? template.value };
  });
}

function listEmptyColumns(each: FlowTable, templates: Templates): readonly Problem[] {
  return addedColumns(each, templates)
    .filter(({ needsValue, value }) => needsValue && value === undefined)
    .map(({ template: { at, template } }) => {
      const example = template === 'customer_id' ? ', such as meta("customer_id")' : '';
      const message = `missing key "value": the pipeline would write NULL into a NOT NULL column; add value: <Bloblang expression>${example}, or default: <SQL expression>`;
      return { at, message };
    });
}

/** Lists customers without the `customer_id` that a value of a table uses, and ids that are not those of a `uuid`. */
function listMissingIds(flow: Flow, { templates, transforms }: BentoParts): readonly Problem[] {
  if (flow.group.pattern !== 'db-per-tenant') return [];
  const columns = flow.tables.flatMap((each) => addedColumns(each, templates));
  const user = [
    ...columns
      .filter(({ value }) => usesId(value))
      .map(({ template }) => `the template ${template.template}`),
    ...flow.tables.flatMap(({ sink }) =>
      sink.transforms
        .filter(({ bloblangRef }) => usesId(transforms.get(bloblangRef)))
        .map(({ bloblangRef }) => bloblangRef),
    ),
  ][0];
  if (user === undefined) return [];
  const uuid = columns.find(({ type, value }) => type === 'uuid' && isId(value));
  return flow.feeds.flatMap(({ at, customerId }) => {
    if (customerId === undefined) {
      return {
        at,
        message: `missing key "customer_id", which ${user} uses; add the id of the customer`,
      };
    }
    if (!uuid || customerId.includes('${') || UUID.test(customerId)) return [];
    const message = `expected a uuid, because the column of the template ${uuid.template.template} has this type, found "${customerId}"`;
    return { at: { ...at, keys: [...at.keys, 'customer_id'] }, message };
  });
}

const ID_USE = /\b(?:meta|metadata)\(\s*"customer_id"\s*\)|@customer_id\b|\bCDC_CUSTOMER_ID\b/;

function usesId(expression: string | undefined): boolean {
  return expression !== undefined && ID_USE.test(expression);
}

/** Returns true if the value is the id, not a text with the id in it. */
function isId(value: string | undefined): boolean {
  return value !== undefined && ID_USE.exec(value)?.[0] === value.trim();
}

/** Spellings of a uuid that PostgreSQL reads. */
const UUID = /^\{?(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}\}?$/i;
