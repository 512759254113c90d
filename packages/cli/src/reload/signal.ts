import { randomUUID } from 'node:crypto';
import { readConfig, type Config, type SourceGroup } from '@cdc-migrations/config';
import {
  renderSignal,
  renderSnapshotData,
  sendSignal,
  SignalNameError,
  type Signal,
} from '@cdc-migrations/introspect';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { isOf, listFeeds, type Feed } from '../pipelines/plan-flows.ts';
import { connectorPrefix, topicPrefix } from '../pipelines/topics.ts';
import { print, printJson, printScript } from '../print.ts';
import { reportOutcomes } from '../source/report-outcomes.ts';
import { resolveSources } from '../source/resolve-sources.ts';
import { runAll } from '../source/run-all.ts';
import { showEvent } from '../source/show-event.ts';
import { openTargets, type CommandTarget } from '../target/open-targets.ts';
import { isNamed } from '../verify/verified-tables.ts';
import { customerColumnOf, type ReloadOptions } from './reload.ts';

export interface SignalOptions extends ReloadOptions {
  readonly blocking?: boolean;
  readonly kafka?: boolean;
  readonly send?: boolean;
}

/** Request to a connector to read tables of a source database again. */
interface Request extends Feed {
  readonly group: SourceGroup;
  readonly data: string;
}

const JOBS = 4;

/**
 * Prints or sends the requests to Debezium to read tables again: a row for the signal table of each source database, or
 * a message for the signal topic. Returns the exit code: 3 if a database failed.
 */
export async function signalSnapshot(options: SignalOptions): Promise<number> {
  const root = findRoot(options.root);
  const config = readConfig(root);
  const requests = listRequests(config, openTargets(options).targets, options);
  if (options.kafka) return printMessages(requests, options);
  const signals = requests.map((request) => ({ ...request, signal: signalOf(request) }));
  if (!options.send) {
    const texts = signals.map(({ group: { type }, database, signal }) => ({
      database,
      sql: renderSignal(type, signal),
    }));
    if (options.json) printJson({ signals: texts });
    else printScript(texts.map(({ database, sql }) => `-- in ${database}\n${sql}\n`).join(''));
    return EXIT.done;
  }
  const outcomes = await runAll(resolveSources(root, signals), JOBS, async ({ plan, source }) => {
    await sendSignal(source, plan.signal, { onEvent: showEvent });
    return { database: plan.database, id: plan.signal.id };
  });
  const { hasFailed } = reportOutcomes(outcomes, (sent) => {
    if (options.json) printJson({ sent });
    else print(sent.map(({ database, id }) => `${database}: sent signal ${id}`));
  });
  return hasFailed ? EXIT.tenantsFailed : EXIT.done;
}

/** Prints messages for `kcat -P -K '|'`: key, `|`, value. */
function printMessages(requests: readonly Request[], { json }: SignalOptions): number {
  const messages = requests.map((request) => ({
    key: connectorKey(request),
    value: JSON.stringify({ type: TYPE, data: JSON.parse(request.data) as unknown }),
  }));
  if (json) printJson({ messages });
  else print(messages.map(({ key, value }) => `${key}|${value}`));
  return EXIT.done;
}

const TYPE = 'execute-snapshot';

/** Returns the `topic.prefix` of the connector. */
function connectorKey({ group, ...feed }: Request): string {
  return group.type === 'mssql' ? connectorPrefix({ group }, feed) : topicPrefix({ group }, feed);
}

function signalOf({ group, data }: Request): Signal {
  if (group.signalTable) return { table: group.signalTable, id: randomUUID(), type: TYPE, data };
  throw new CommandError(
    `${group.at.file}: expected signal_table: <schema>.<table> in ${group.name}, because a row in it makes Debezium take a snapshot; add the key, or use --kafka`,
  );
}

interface Wanted {
  readonly group: SourceGroup;
  readonly feed: Feed;
  readonly tables: ReplicatedTable[];
}

/** Lists a request for each source database of the selected tables. */
function listRequests(
  config: Config,
  targets: readonly CommandTarget[],
  options: SignalOptions,
): readonly Request[] {
  const wanted = new Map<string, Wanted>();
  for (const { migrations } of targets) {
    const group = config.sourceGroups.find(({ name }) => name === migrations.set.sourceGroup)!;
    for (const table of migrations.tables) {
      for (const feed of listFeeds(group, options.env, table.service)) {
        const isOther = options.customer && !options.customer.includes(feed.tenant);
        if (group.pattern === 'db-per-tenant' && isOther) continue;
        if (!isNamed(table, feed.tenant, options.table)) continue;
        refuseWithoutDebezium(config, table);
        const key = JSON.stringify([group.name, feed.env, feed.database]);
        const known = wanted.get(key) ?? { group, feed, tables: [] };
        wanted.set(key, known);
        known.tables.push(table);
      }
    }
  }
  const missing = listMissing([...wanted.values()], options);
  if (missing.length > 0)
    throw new CommandError(`reload: no table of ${missing.join(', ')} in ${options.env}`);
  return [...wanted.values()].map(({ group, feed, tables }) => ({
    ...{ ...feed, group },
    data: renderData(config, { group, feed, tables }, options),
  }));
}

/** Lists names of tables and customers without a request. */
function listMissing(
  wanted: readonly Wanted[],
  { table = [], customer = [] }: SignalOptions,
): readonly string[] {
  if (wanted.length === 0) return [...table, ...customer];
  // A db-shared source can have any customer.
  const isShared = wanted.some(({ group }) => group.pattern === 'db-shared');
  const isOfOne = (name: string) =>
    wanted.some(({ feed, tables }) => tables.some((one) => isNamed(one, feed.tenant, [name])));
  return [
    ...table.filter((name) => !isOfOne(name)),
    ...customer.filter((name) => !isShared && !wanted.some(({ feed }) => feed.tenant === name)),
  ];
}

function refuseWithoutDebezium({ sinkGroups, services }: Config, table: ReplicatedTable): void {
  const isByLsn = table.positions === 'lsn';
  const sink = sinkGroups.find(({ name }) => table.set.startsWith(`${name}.`));
  const own = services
    .find(({ name }) => name === table.service)
    ?.sinks.find((one) => one.sink === table.set)
    ?.tables.find((one) => isOf(one, table));
  const events = own?.pipeline?.events ?? sink?.pipeline?.events;
  if (!isByLsn && events !== 'bento-sql-raw') return;
  throw new CommandError(
    `${table.service} ${table.name} is read without Debezium; ${
      isByLsn
        ? `run pipelines/${table.set}/<env>/${table.service}.snapshot.yaml`
        : 'insert its rows into the staging table as described in docs/reload.md'
    }`,
  );
}

function renderData(
  config: Config,
  { group, feed, tables }: Wanted,
  { blocking, customer }: SignalOptions,
): string {
  const asked = tables.map((table) => {
    const { schema, table: name } = table.source;
    const filter = filterOf(config, table, group, customer);
    return {
      name: [...(group.type === 'mssql' ? [feed.database] : []), schema, name],
      ...(filter !== undefined && { filter }),
    };
  });
  try {
    const kind = blocking ? 'BLOCKING' : 'INCREMENTAL';
    return renderSnapshotData(asked, { type: group.type, kind });
  } catch (error) {
    if (!(error instanceof SignalNameError)) throw error;
    throw new CommandError(`${error.message}${blocking ? '' : '; use --blocking'}`);
  }
}

/** Builds the filter for rows of some customers in a shared database. */
function filterOf(
  config: Config,
  table: ReplicatedTable,
  { pattern }: SourceGroup,
  customer: readonly string[] | undefined,
): string | undefined {
  if (pattern !== 'db-shared' || !customer) return undefined;
  const column = customerColumnOf(config, table);
  const source = table.columns.find(({ name }) => name === column)?.source;
  return source && `${quoteIdentifier(source.name)} IN (${customer.map(quoteLiteral).join(', ')})`;
}
