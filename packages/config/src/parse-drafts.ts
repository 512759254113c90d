import { reportIn, type Problem } from '@cdc-migrations/shape';
import {
  COLUMN_TEMPLATES_FILE,
  overriddenGroupOf,
  serviceOf,
  SERVICES_FOLDER,
  SINK_GROUPS_FILE,
  SOURCE_GROUPS_FILE,
  type ConfigFiles,
} from './config-files.ts';
import { parsePart, parseServicePart, type Part, type ServicePart } from './parse-part.ts';
import {
  columnTemplatesSchema,
  typeOverridesSchema,
  type ColumnTemplatesShape,
  type TypeOverridesShape,
} from './schemas/definitions.ts';
import {
  sinkGroupsSchema,
  sourceGroupsSchema,
  type SinkGroupsShape,
  type SourceGroupsShape,
} from './schemas/groups.ts';

/** Parsed content of each file. A part is undefined if its file is missing or unreadable. */
export interface ServiceDrafts {
  readonly sinkGroups: Part<SinkGroupsShape> | undefined;
  readonly templates: Part<ColumnTemplatesShape> | undefined;
  /** Templates that services may name. Undefined if their file cannot be read. */
  readonly templateNames: readonly string[] | undefined;
  readonly services: readonly ServicePart[];
  /** Type overrides by source group. */
  readonly typeOverrides: ReadonlyMap<string, Part<TypeOverridesShape>>;
}

export interface Drafts extends ServiceDrafts {
  readonly sourceGroups: Part<SourceGroupsShape> | undefined;
}

/** Parses every file except `source-groups.yaml` and reports the problems of each single file. */
export function parseServiceDrafts(files: ConfigFiles, problems: Problem[]): ServiceDrafts {
  refuseUnreadable(files, problems);
  refuseMissing(files, SINK_GROUPS_FILE, SINK_GROUPS.expected, problems);
  const templates = parsePart(files, COLUMN_TEMPLATES_FILE, COLUMN_TEMPLATES, problems);
  return {
    sinkGroups: parsePart(files, SINK_GROUPS_FILE, SINK_GROUPS, problems),
    templates,
    templateNames: files.has(COLUMN_TEMPLATES_FILE)
      ? templates?.draft?.templates && Object.keys(templates.draft.templates)
      : [],
    services: parseServices(files, problems),
    typeOverrides: parseTypeOverrides(files, problems),
  };
}

/** Parses every file and reports the problems of each single file. */
export function parseDrafts(files: ConfigFiles, problems: Problem[]): Drafts {
  return {
    sourceGroups: parseSourceGroupsDraft(files, problems),
    ...parseServiceDrafts(files, problems),
  };
}

/** Parses `source-groups.yaml` and reports its problems. */
export function parseSourceGroupsDraft(
  files: ConfigFiles,
  problems: Problem[],
): Part<SourceGroupsShape> | undefined {
  refuseMissing(files, SOURCE_GROUPS_FILE, SOURCE_GROUPS.expected, problems);
  return parsePart(files, SOURCE_GROUPS_FILE, SOURCE_GROUPS, problems);
}

function parseServices(files: ConfigFiles, problems: Problem[]): readonly ServicePart[] {
  const serviceFiles = [...files.keys()].filter((file) => serviceOf(file) !== undefined);
  const unread = [...files.keys()].some((file) => file.startsWith(SERVICES_FOLDER));
  if (serviceFiles.length === 0 && !unread) {
    const message = 'expected a file services/<service>.yaml, found none';
    reportIn(SERVICES_FOLDER, problems)([], message);
  }
  return serviceFiles.sort().flatMap((file) => parseServicePart(files, file, problems) ?? []);
}

function parseTypeOverrides(
  files: ConfigFiles,
  problems: Problem[],
): ReadonlyMap<string, Part<TypeOverridesShape>> {
  const parts = new Map<string, Part<TypeOverridesShape>>();
  for (const file of [...files.keys()].sort()) {
    const group = overriddenGroupOf(file);
    if (group === undefined) continue;
    const part = parsePart(files, file, TYPE_OVERRIDES, problems);
    if (part) parts.set(group, part);
  }
  return parts;
}

/** Reports files that cannot be read. */
export function refuseUnreadable(files: ConfigFiles, problems: Problem[]): void {
  for (const [file, text] of files) {
    if (typeof text !== 'string') reportIn(file, problems)([], text.unreadable);
  }
}

function refuseMissing(
  files: ConfigFiles,
  file: string,
  expected: string,
  problems: Problem[],
): void {
  if (!files.has(file)) reportIn(file, problems)([], `expected ${expected}, found no such file`);
}

const SOURCE_GROUPS = {
  schema: sourceGroupsSchema,
  expected: '<source group>: { pattern, type, envs, servers, sources }',
};

const SINK_GROUPS = {
  schema: sinkGroupsSchema,
  expected: '<sink group>: { source_group, pattern, type, envs, servers, sources }',
};

const COLUMN_TEMPLATES = {
  schema: columnTemplatesSchema,
  expected: 'templates: { <template>: { name, type } }',
};

const TYPE_OVERRIDES = {
  schema: typeOverridesSchema,
  expected: 'types: { <source type>: <PostgreSQL type> }',
};
