import { knownNames, type Draft } from '@cdc-migrations/shape';
import { envsOf } from './check-groups.ts';
import { checkSinkTable } from './check-sink-table.ts';
import { refuseCaseDuplicates, refuseTwice } from './refuse-duplicates.ts';
import { otherNameProblem, type Part, type ServicePart } from '../parse-part.ts';
import { tenantNameProblem } from '../schema-name.ts';
import type { ServiceShape } from '../schemas/service.ts';
import type { SinkGroupsShape, SourceGroupsShape } from '../schemas/groups.ts';
import { splitTableName } from '../schemas/table-name.ts';

/** Names that a service may use. Each is undefined if its file could not be read. */
interface UsableNames {
  readonly sinkGroups: Draft<SinkGroupsShape> | undefined;
  readonly templates: readonly string[] | undefined;
}

/** Reports problems of a service, and of the sinks and templates that it names. */
export function checkService(service: ServicePart, known: UsableNames): void {
  const { draft, name, keys, report } = service;
  if (!draft) return;
  const problem = tenantNameProblem(name);
  if (problem !== undefined) report(keys, problem);
  if (draft.service !== undefined && draft.service !== name) {
    report([...keys, 'service'], otherNameProblem(name, draft.service));
  }
  checkSource(service, draft);
  checkSinks(service, draft, known);
}

const NEVER_EMPTY: readonly string[] = ['include_columns', 'key_columns'];
const COLUMN_LISTS = [
  'ignore_columns',
  'include_columns',
  'key_columns',
  'lossy_key_columns',
] as const;

function checkSource({ keys, report }: ServicePart, draft: Draft<ServiceShape>): void {
  const { source } = draft;
  if (isEmpty(draft, 'source') || (source && isEmpty(source, 'tables'))) {
    const message = 'expected source: { tables: { <schema>.<table>: {} } }, found none';
    report(source ? [...keys, 'source'] : keys, message);
  }
  const tables = source?.tables ?? {};
  refuseCaseDuplicates(Object.keys(tables), [...keys, 'source', 'tables'], report);
  for (const [name, table] of Object.entries(tables)) {
    for (const list of COLUMN_LISTS) {
      const columns = table?.[list];
      if (!columns) continue;
      const below = [...keys, 'source', 'tables', name, list];
      refuseTwice(columns, below, report);
      if (columns.length > 0 || !NEVER_EMPTY.includes(list)) continue;
      report(
        below,
        `expected at least one column name, found an empty list; add a column or remove ${list}`,
      );
    }
  }
}

function checkSinks(
  { name, keys, report }: ServicePart,
  draft: Draft<ServiceShape>,
  { sinkGroups, templates }: UsableNames,
): void {
  if (isEmpty(draft, 'sinks')) {
    report(keys, 'expected sinks: { <sink group>.<database>: { tables } }, found none');
  }
  const sourceTables = draft.source?.tables;
  for (const [sink, content] of Object.entries(draft.sinks ?? {})) {
    const at = [...keys, 'sinks', sink];
    const problem = sinkGroups && sinkProblem(sink, sinkGroups);
    if (problem !== undefined) report(at, problem);
    if (content && isEmpty(content, 'tables')) {
      report(at, 'expected tables: { <schema>.<table>: { from } }, found none');
    }
    for (const [table, sinkTable] of Object.entries(content?.tables ?? {})) {
      const below = [...at, 'tables', table];
      checkSinkTable({ service: name, table, sinkTable, sourceTables, templates }, below, report);
    }
  }
}

/** Returns the reason why `<sink group>.<database>` is not a sink, or undefined if it is one. */
function sinkProblem(sink: string, sinkGroups: Draft<SinkGroupsShape>): string | undefined {
  const dot = sink.indexOf('.');
  const [groupName, database] = dot < 0 ? [sink] : [sink.slice(0, dot), sink.slice(dot + 1)];
  const groups = Object.keys(sinkGroups);
  if (!groups.includes(groupName)) {
    return `unknown sink group "${groupName}"; ${knownNames(groupName, groups)}`;
  }
  const databases = sinkGroups[groupName]?.sources && Object.keys(sinkGroups[groupName].sources);
  if (!databases || (database !== undefined && databases.includes(database))) return undefined;
  return database === undefined
    ? `expected \`<sink group>.<database>\`; databases of ${groupName}: ${databases.join(', ')}`
    : `unknown database "${database}" of ${groupName}; ${knownNames(database, databases)}`;
}

/** Returns true if a key has no value. A wrong value is already reported and counts as a value. */
function isEmpty<Mapping extends object>(mapping: Mapping, key: keyof Mapping): boolean {
  if (!(key in mapping)) return true;
  const value: unknown = mapping[key];
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Reports a service if no source group of its sinks has the environment `validation_env`. */
export function checkValidationEnv(
  { draft, keys, report }: ServicePart,
  sinkGroups: Part<SinkGroupsShape> | undefined,
  sourceGroups: Part<SourceGroupsShape>,
): void {
  const env = draft?.source?.validation_env;
  if (env === undefined) return;
  const names = Object.keys(draft?.sinks ?? {}).map((sink) => sink.split('.')[0]!);
  for (const name of new Set(names.map((sink) => sinkGroups?.draft?.[sink]?.source_group))) {
    const group = name === undefined ? undefined : sourceGroups.draft?.[name];
    if (!group) continue;
    const envs = envsOf(group);
    if (envs.includes(env)) continue;
    const message = `the source group ${name} has no environment "${env}"; ${knownNames(env, envs)}`;
    report([...keys, 'source', 'validation_env'], message);
  }
}

/** Reports tables of one sink and schema whose names differ only in case, across all services. */
export function refuseDuplicateSinkTables(services: readonly ServicePart[]): void {
  const earlier = new Map<string, { readonly name: string; readonly file: string }>();
  for (const { draft, file, keys, report } of services) {
    for (const [sink, content] of Object.entries(draft?.sinks ?? {})) {
      for (const name of Object.keys(content?.tables ?? {})) {
        const { schema, table } = splitTableName(name);
        const id = JSON.stringify([sink, schema, table.toLowerCase()]);
        const first = earlier.get(id);
        if (!first) earlier.set(id, { name, file });
        if (!first || first.name === name) continue;
        const where = first.file === file ? '' : ` of ${first.file}`;
        const message = `"${name}" differs from "${first.name}"${where} only in case; rename one of the two`;
        report([...keys, 'sinks', sink, 'tables', name], message);
      }
    }
  }
}
