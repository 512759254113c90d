import type { Catalog } from '@cdc-migrations/catalog';
import { ConfigError, type Config } from '@cdc-migrations/config';
import {
  buildGeneratedFile,
  safeFileName,
  type GeneratedFile,
} from '@cdc-migrations/generated-file';
import type { Definitions } from '@cdc-migrations/table-defs';
import { stringify } from 'yaml';
import { listMissingValues } from './list-missing-values.ts';
import { planFlows, type Feed, type Flow, type FlowTable } from './plan-flows.ts';
import { bentoOf, PLAIN_TEXT, type BentoParts } from './render-bento.ts';
import { jdbcSinkOf } from './render-jdbc-sink.ts';
import { sourceConnectors } from './render-source-connector.ts';
import { topicPrefix } from './topics.ts';

/** Folder of all pipelines, relative to the implementation repo. */
export const PIPELINES_FOLDER = 'pipelines';

/**
 * Builds the pipelines of each sink and environment, and the connectors of the sources:
 *
 * - Bento: `pipelines/<sink>/<env>/<service>.yaml`, with `<tenant>.env` if each customer has a database.
 * - JDBC sink: `<service>.json` or `<service>.<tenant>.json`.
 * - Source connector: `pipelines/sources/<group>/<env>/<server or database>.json`.
 *
 * @throws ConfigError with all values that the pipelines would not have
 */
export function buildPipelines(
  config: Config,
  catalogs: readonly Catalog[],
  definitions: Definitions,
  transforms: BentoParts['transforms'],
): readonly GeneratedFile[] {
  const flows = planFlows(config, catalogs, definitions);
  const parts = { templates: config.templates, transforms };
  const problems = listMissingValues(flows, parts);
  if (problems.length > 0) throw new ConfigError(problems);
  const sinks = flows.flatMap((flow) => [...bentoFiles(flow, parts), ...jdbcFiles(flow, parts)]);
  const sources = sourceConnectors(config.sourceGroups, flows).map(
    ({ folder, name, source, settings }) =>
      connectorFile(
        `${PIPELINES_FOLDER}/sources/${folder}/${safeFileName(name)}.json`,
        { source },
        settings,
      ),
  );
  const byPath = new Map([...sinks, ...sources].map((file) => [file.path, file]));
  return [...byPath.values()];
}

const BY = { by: 'cdc manage-pipelines generate' } as const;

function folderOf({ sink, env }: Flow): string {
  return `${PIPELINES_FOLDER}/${safeFileName(sink)}/${safeFileName(env)}`;
}

function tablesOf({ tables }: Flow, isOf: (writer: string) => boolean): readonly FlowTable[] {
  return tables.filter(({ events }) => isOf(events.writer));
}

function bentoFiles(flow: Flow, parts: BentoParts): readonly GeneratedFile[] {
  const tables = tablesOf(flow, (writer) => writer === 'bento');
  if (tables.length === 0) return [];
  const ofKafka = tables.filter(({ table }) => table.positions !== 'lsn');
  const ofLsn = tables.filter(({ table }) => table.positions === 'lsn');
  const files = [
    ...(ofKafka.length > 0
      ? [bentoFile(flow, [flow.service], bentoOf(flow, ofKafka, parts, 'kafka'))]
      : []),
    ...(ofLsn.length > 0 ? changeReaders(flow, ofLsn, parts) : []),
  ];
  return flow.group.pattern === 'db-shared'
    ? files
    : [...files, ...flow.feeds.map((feed) => envFile(flow, feed, { ofKafka, ofLsn }))];
}

function bentoFile(
  flow: Flow,
  names: readonly [string, ...string[]],
  configuration: object,
): GeneratedFile {
  const body = stringify(configuration, { lineWidth: 0, customTags: [PLAIN_TEXT] });
  const path = `${folderOf(flow)}/${safeFileName(...names)}.yaml`;
  const target = `${flow.sink} ${flow.env}`;
  return buildGeneratedFile(path, { ...BY, source: flow.group.name, target }, body);
}

/**
 * Builds the direct readers of the sources: `<service>.changes.yaml` and `<service>.snapshot.yaml`, for each of their
 * servers.
 */
function changeReaders(
  flow: Flow,
  tables: readonly FlowTable[],
  parts: BentoParts,
): readonly GeneratedFile[] {
  const servers = [...new Set(flow.feeds.map(({ server }) => server))];
  return servers.flatMap((server) => {
    const ofServer = { ...flow, feeds: flow.feeds.filter((feed) => feed.server === server) };
    const suffix = servers.length > 1 ? [server.name] : [];
    return (['changes', 'snapshot'] as const).map((input) =>
      bentoFile(
        ofServer,
        [flow.service, input, ...suffix],
        bentoOf(ofServer, tables, parts, input),
      ),
    );
  });
}

/** Builds the variables of a customer for `--env-file`. */
function envFile(
  flow: Flow,
  feed: Feed,
  { ofKafka, ofLsn }: Readonly<Record<'ofKafka' | 'ofLsn', readonly FlowTable[]>>,
): GeneratedFile {
  const variables = {
    CDC_SCHEMA: feed.tenant,
    ...(ofKafka.length > 0 && { CDC_TOPIC_PREFIX: topicPrefix(flow, feed) }),
    ...(ofLsn.length > 0 && { CDC_SOURCE_DATABASE: feed.database }),
    ...(feed.customerId !== undefined && { CDC_CUSTOMER_ID: feed.customerId }),
  };
  const body = Object.entries(variables).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}\n`,
  );
  const path = `${folderOf(flow)}/${tenantName(flow, feed)}.env`;
  return buildGeneratedFile(path, { ...BY, target: `${flow.sink} ${feed.tenant}` }, body.join(''));
}

/** Names the file of a customer. The source environment is part of the name if several of them feed the sink. */
function tenantName({ feeds }: Flow, { tenant, env }: Feed): string {
  const isAlone = feeds.filter((other) => other.tenant === tenant).length === 1;
  return isAlone ? safeFileName(tenant) : safeFileName(tenant, env);
}

function jdbcFiles(flow: Flow, { templates }: BentoParts): readonly GeneratedFile[] {
  const tables = tablesOf(flow, (writer) => writer !== 'bento');
  if (tables.length === 0) return [];
  return flow.feeds.map((feed) => {
    const names: [string, ...string[]] =
      flow.group.pattern === 'db-shared' ? [flow.service] : [flow.service, tenantName(flow, feed)];
    const facts = { source: flow.group.name, target: `${flow.sink} ${flow.env} ${feed.tenant}` };
    const path = `${folderOf(flow)}/${safeFileName(...names)}.json`;
    return connectorFile(path, facts, jdbcSinkOf(flow, feed, tables, templates));
  });
}

/** Builds a connector file for `PUT /connectors/<name>/config`. */
function connectorFile(
  path: string,
  facts: { readonly source?: string; readonly target?: string },
  settings: Readonly<Record<string, string>>,
): GeneratedFile {
  return buildGeneratedFile(path, { ...BY, ...facts }, `${JSON.stringify(settings, null, 2)}\n`);
}
