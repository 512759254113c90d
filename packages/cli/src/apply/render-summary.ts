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
import { joinAlike, type SchemaLines } from '../target/join-alike.ts';
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
    ...joinAlike(
      tightened.map(({ schema, table, column }) => ({
        schema,
        lines: [
          `${schema}.${table}: ${quoteIdentifier(column)} is NOT NULL now, because every row has a value`,
        ],
      })),
    ),
    ...joinAlike(
      indexes.map(({ schema, table, index, action }) => ({
        schema,
        lines: [`${schema}.${table}: index ${quoteIdentifier(index)} ${action}`],
      })),
    ),
    ...joinAlike(failures.map(describeFailure)),
    ...joinAlike(describeWaiting(waiting)),
    ...renderStale(stale),
    ...joinAlike(
      describeLeftOut({ mergeProblems, lockedStaging: [] }).map(({ schema, table, reason }) => ({
        schema,
        lines: [`${schema}.${table}: ${reason}`],
      })),
    ),
    ...(notBegun.length > 0 ? [`not started: ${notBegun.join(', ')}`] : []),
  ];
}

/** Names the schemas whose plan was outdated, and what to do. */
function renderStale(stale: readonly StaleSchema[]): readonly string[] {
  if (stale.length === 0) return [];
  return [
    ...joinAlike(
      stale.map(({ schema, reasons }) => {
        const what = schema === WHOLE_DATABASE ? 'nothing was done' : `${schema} skipped`;
        return { schema, lines: [`${what}: ${reasons.join('; ')}`] };
      }),
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

/** Describes for each schema the skipped files and the file that they need. */
function describeWaiting(waiting: readonly WaitingFile[]): readonly SchemaLines[] {
  const groups = new Map<string, { readonly first: WaitingFile; readonly count: number }>();
  for (const file of waiting) {
    const key = `${file.schema}\0${file.waitsFor}`;
    const group = groups.get(key);
    groups.set(key, { first: group?.first ?? file, count: (group?.count ?? 0) + 1 });
  }
  return [...groups.values()].map(({ first: { schema, path, waitsFor }, count: files }) => {
    const more = files > 1 ? ` and ${countOf(files - 1, 'more file')}` : '';
    return {
      schema,
      lines: [`${nameSchema(schema)} skipped: ${path}${more}, because of ${waitsFor}`],
    };
  });
}

/** Renders a failure. Failures in one place with one reason are alike, except for those that waited for a lock. */
function describeFailure(failure: FileFailure, index: number): SchemaLines {
  const { schema, path, code, message, detail, hint, blockers = [] } = failure;
  const own = blockers.length > 0 ? index : null;
  return {
    schema,
    lines: renderFailure(failure),
    cause: JSON.stringify([path, code, message, detail, hint, own]),
  };
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
