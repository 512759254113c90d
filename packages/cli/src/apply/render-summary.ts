import {
  describeBlocker,
  describeLeftOut,
  type ApplyResult,
  WHOLE_DATABASE,
  type FileFailure,
  type StaleSchema,
  type WaitingFile,
} from '@cdc-migrations/tracker';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { nameSchema } from '../target/name-schema.ts';
import { countOf } from '../count-of.ts';

/** Renders the result of an apply in one line, followed by each failure with its schema, file, statement and reason. */
export function renderSummary(label: string, result: ApplyResult): readonly string[] {
  const {
    applied,
    appliedBefore,
    failures,
    waiting,
    notBegun,
    schemaCount,
    mergeProblems,
    tightened,
    indexes,
    stale,
  } = result;
  const counts = [
    `${applied.length} applied`,
    `${appliedBefore} applied before`,
    ...count(failures, 'failed', 'failed'),
    ...count(failures, 'unsafe', 'refused as unsafe'),
  ];
  return [
    `${label}: ${countOf(schemaCount, 'schema')}; files: ${counts.join(', ')}`,
    ...tightened.map(
      ({ schema, table, column }) =>
        `${schema}.${table}: ${quoteIdentifier(column)} is NOT NULL now, because every row has a value`,
    ),
    ...indexes.map(
      ({ schema, table, index, action }) =>
        `${schema}.${table}: index ${quoteIdentifier(index)} ${action}`,
    ),
    ...groupFailures(failures).flatMap(renderFailures),
    ...renderWaiting(waiting),
    ...renderStale(stale),
    ...describeLeftOut({ mergeProblems, lockedStaging: [] }).map(
      ({ schema, table, reason }) => `${schema}.${table}: ${reason}`,
    ),
    ...(notBegun.length > 0 ? [`not started: ${notBegun.join(', ')}`] : []),
  ];
}

/** Renders a line for each schema whose plan was outdated, and what to do. */
function renderStale(stale: readonly StaleSchema[]): readonly string[] {
  if (stale.length === 0) return [];
  return [
    ...stale.map(
      ({ schema, reasons }) =>
        `${schema === WHOLE_DATABASE ? 'nothing was done' : `${schema} skipped`}: ${reasons.join('; ')}`,
    ),
    'the plan is stale: write it again with apply --plan-out',
  ];
}

function count(
  failures: readonly FileFailure[],
  kind: FileFailure['kind'],
  word: string,
): readonly string[] {
  const found = failures.filter((failure) => failure.kind === kind).length;
  return found > 0 ? [`${found} ${word}`] : [];
}

/** Renders a line for each schema and the file that its skipped files need. */
function renderWaiting(waiting: readonly WaitingFile[]): readonly string[] {
  const groups = new Map<string, { readonly first: WaitingFile; readonly count: number }>();
  for (const file of waiting) {
    const key = `${file.schema}\0${file.waitsFor}`;
    const group = groups.get(key);
    groups.set(key, { first: group?.first ?? file, count: (group?.count ?? 0) + 1 });
  }
  return [...groups.values()].map(({ first: { schema, path, waitsFor }, count: files }) => {
    const more = files > 1 ? ` and ${countOf(files - 1, 'file')} more` : '';
    return `${nameSchema(schema)} skipped: ${path}${more}, because of ${waitsFor}`;
  });
}

/** Maximum number of schemas that are listed behind a failure. */
const SHOWN_SCHEMAS = 10;

/** Groups failures that differ only in the name of their schema. A failure that waited for a lock stays alone. */
function groupFailures(failures: readonly FileFailure[]): readonly (readonly FileFailure[])[] {
  const groups = new Map<string, readonly FileFailure[]>();
  for (const failure of failures) {
    const { schema, path, code, message, detail, hint, blockers = [] } = failure;
    const texts = [message, detail, hint].map((text) =>
      schema === WHOLE_DATABASE ? text : text?.replaceAll(schema, '{{SCHEMA}}'),
    );
    const key = JSON.stringify([path, code, ...texts, blockers.length > 0 ? schema : '']);
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups.values()];
}

/** Number of equal failures from which on only the first is printed in full. */
const MANY = 3;

/** Renders the failures of a group; of many only the first, and the schemas of the others. */
function renderFailures(group: readonly FileFailure[]): readonly string[] {
  if (group.length < MANY) return group.flatMap(renderFailure);
  const [first, ...others] = group;
  const names = others.slice(0, SHOWN_SCHEMAS).map(({ schema }) => nameSchema(schema));
  const more = others.length > names.length ? ', …' : '';
  return [
    ...renderFailure(first!),
    `  the same in ${others.length} more: ${names.join(', ')}${more}`,
  ];
}

function renderFailure(failure: FileFailure): readonly string[] {
  const { schema, path, message, code, statement, detail, hint, context, blockers = [] } = failure;
  return [
    `${nameSchema(schema)} ${path}: ${message} (SQLSTATE ${code})`,
    ...(statement ? [`  statement at line ${statement.line}: ${statement.text}`] : []),
    ...blockers.map((one) => `  held by: ${describeBlocker(one)}`),
    ...indent('  detail: ', detail),
    ...indent('  hint: ', hint),
    // The hint of an unsafe change says what to do. The location in our code would not help.
    ...(failure.kind === 'unsafe' ? [] : indent('  where: ', context)),
  ];
}

/** Prefixes every line of a text with the label. Returns nothing without a text. */
function indent(label: string, text: string | undefined): readonly string[] {
  if (!text) return [];
  return text
    .split('\n')
    .map((line, at) => `${at === 0 ? label : ' '.repeat(label.length)}${line}`);
}
