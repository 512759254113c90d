'use strict';

/** @import { Repo } from './read-repo.cjs' */

/**
 * A step of the pipeline as a target of every implementation repo. Globs are relative to the repo. A new target is one
 * more entry of `STAGES`.
 *
 * @typedef {object} Stage
 * @property {string} name target, and the base of the option that renames it (`table-defs`: `tableDefsTargetName`)
 * @property {string} description
 * @property {string} command run in the repo's folder
 * @property {string} group in the details of the project
 * @property {boolean} cache
 * @property {'sources' | 'sinks'} [asks] databases that it connects to. For sinks, `--env` is added.
 * @property {readonly string[]} after stages of the same repo that run first
 * @property {(repo: Repo) => readonly string[]} files globs of inputs that no stage writes. `!` in front excludes
 *   files.
 * @property {readonly string[]} takes globs of outputs of the stages in `after`. They must not be in `files`, which
 *   Nx hashes before those stages run. Keep them few, because Nx lists all outputs for each.
 * @property {readonly string[]} env variables that the output depends on
 * @property {(repo: Repo) => readonly string[]} writes output files, or folders that hold nothing else
 * @property {readonly string[]} packages packages of this workspace that do the work
 */

/** Groups of targets in the details of a project. */
const GROUPS = {
  sql: 'CDC migrations: SQL',
  pipelines: 'CDC migrations: pipelines',
  databases: 'CDC migrations: databases',
};

const MIGRATION_SETS = 'generated/migration-sets.yaml';
const TABLE_DEFINITIONS = 'generated/table-definitions';
const NOTHING = () => [];
/** All files that users write except source-groups.yaml. `.yml` is an input because it is rejected with a message. */
const SERVICES = [
  'sink-groups.yaml',
  'services/*.{yaml,yml}',
  '!services/{_,.}*',
  'services/_schemas/column-templates.yaml',
  'services/_schemas/_definitions/source-*-type-overrides.{yaml,yml}',
];

/**
 * Returns a path in the folder of every migration set: `migrations/tables`, or `migrations/<sink>/tables` for each.
 *
 * @param {string} path
 * @returns {(repo: Repo) => string[]}
 */
const inEverySet = (path) => (repo) => repo.setFolders.map((folder) => `${folder}/${path}`);

/**
 * @param {Repo} repo
 * @param {string} path
 */
const exceptInEverySet = (repo, path) => inEverySet(path)(repo).map((glob) => `!${glob}`);

/** Folders of a migration set that are outputs. */
const STAGE_FOLDERS = ['schemas', 'infrastructure', 'tables', 'validation', 'staging'];

/**
 * Returns the files below `migrations/` that no other stage writes: hand-written SQL, and files of an older layout that
 * the stage removes.
 *
 * @param {Repo} repo
 */
const besideStages = (repo) => [
  'migrations/**/*.{sql,yaml,part}',
  '!migrations/**/manual/**/*.{yaml,part}',
  '!migrations/**/.*',
  ...STAGE_FOLDERS.flatMap((folder) => exceptInEverySet(repo, `${folder}/**/*`)),
  ...exceptInEverySet(repo, 'manifest.yaml'),
];

/** Settings of targets that run every time, because their output depends on a database or is their only purpose. */
const NOT_CACHED = {
  cache: false,
  after: [],
  files: NOTHING,
  takes: [],
  env: [],
  writes: NOTHING,
  packages: [],
};

/** @type {readonly Stage[]} */
const STAGES = [
  {
    name: 'introspect',
    description:
      'Snapshots of the source databases. Run it explicitly, because it connects to them.',
    command: 'cdc manage-migrations schema-docs',
    group: GROUPS.databases,
    asks: 'sources',
    ...NOT_CACHED,
  },
  {
    name: 'table-defs',
    description: 'Table definitions and migration sets, from the configuration and the snapshot',
    command: 'cdc manage-migrations generate --only table-defs --force',
    group: GROUPS.sql,
    cache: true,
    after: [],
    files: () => [...SERVICES, 'generated/schemas/**/*.yaml', '!generated/schemas/**/.*'],
    takes: [],
    env: [],
    writes: () => [TABLE_DEFINITIONS, MIGRATION_SETS],
    packages: ['config', 'catalog', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'schemas',
    description: 'SQL that creates the schemas of tenants and of literal names',
    command: 'cdc manage-migrations generate --only schemas --force',
    group: GROUPS.sql,
    cache: true,
    after: ['table-defs'],
    files: () => ['source-groups.yaml'],
    takes: [MIGRATION_SETS],
    env: ['CDC_DB_USER'],
    writes: inEverySet('schemas'),
    packages: ['config', 'ddl-render', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'infrastructure',
    description: 'SQL of the schema cdc_management: merge control, logs, history, views',
    command: 'cdc manage-migrations generate --only infrastructure --force',
    group: GROUPS.sql,
    cache: true,
    after: ['table-defs'],
    files: NOTHING,
    takes: [MIGRATION_SETS],
    env: ['CDC_DB_USER'],
    writes: inEverySet('infrastructure'),
    packages: ['ddl-render', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'tables',
    description: 'SQL of the final tables, and the checks of tables that exist already',
    command: 'cdc manage-migrations generate --only tables --force',
    group: GROUPS.sql,
    cache: true,
    after: ['table-defs'],
    files: NOTHING,
    takes: ['generated/**/*'],
    env: [],
    writes: (repo) => [...inEverySet('tables')(repo), ...inEverySet('validation')(repo)],
    packages: ['ddl-render', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'staging',
    description: 'SQL of the staging tables, merge procedures and triggers',
    command: 'cdc manage-migrations generate --only staging --force',
    group: GROUPS.sql,
    cache: true,
    after: ['table-defs'],
    files: NOTHING,
    takes: ['generated/**/*'],
    env: ['CDC_DB_USER'],
    writes: inEverySet('staging'),
    packages: ['staging-render', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'migrations',
    description:
      'All SQL, checked against the whole configuration, and the manifest with its order',
    command: 'cdc manage-migrations generate --only migrations --force',
    group: GROUPS.sql,
    cache: true,
    after: ['table-defs', 'schemas', 'infrastructure', 'tables', 'staging'],
    files: (repo) => ['source-groups.yaml', ...SERVICES, ...besideStages(repo)],
    takes: ['**/*'],
    env: ['CDC_DB_USER'],
    writes: inEverySet('manifest.yaml'),
    packages: ['config', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'pipelines',
    description: 'Pipelines that fill the staging tables, and connectors of the sources',
    command: 'cdc manage-pipelines generate --force',
    group: GROUPS.pipelines,
    cache: true,
    after: [],
    files: () => [
      'source-groups.yaml',
      ...SERVICES,
      'services/**/*.blobl',
      'generated/schemas/**/*.yaml',
      '!generated/schemas/**/.*',
    ],
    takes: [],
    env: [],
    writes: () => ['pipelines'],
    packages: ['config', 'catalog', 'table-defs', 'sql-text', 'generated-file', 'shape', 'cli'],
  },
  {
    name: 'types',
    description: 'Columns whose values the target does not keep exactly',
    command: 'cdc manage-migrations types',
    group: GROUPS.sql,
    ...NOT_CACHED,
  },
  {
    name: 'check-generated',
    description: 'Fails if generated files are stale or edited, for pull requests',
    command: 'cdc manage-migrations generate --check',
    group: GROUPS.sql,
    ...NOT_CACHED,
  },
  {
    name: 'diff',
    description: 'Changes since the definitions were generated. --env reads the live source.',
    command: 'cdc manage-migrations diff',
    group: GROUPS.databases,
    asks: 'sources',
    ...NOT_CACHED,
  },
  {
    name: 'apply',
    description: 'Applies pending files to an embedded PostgreSQL, or to the environment of --env',
    command: 'cdc manage-migrations apply',
    group: GROUPS.databases,
    asks: 'sinks',
    ...NOT_CACHED,
    after: ['migrations'],
  },
  {
    name: 'status',
    description: 'State of each file per schema: applied, pending, outdated, failed or unsafe',
    command: 'cdc manage-migrations status',
    group: GROUPS.databases,
    asks: 'sinks',
    ...NOT_CACHED,
  },
  {
    name: 'check',
    description: 'Compares the structure of the targets with the definitions',
    command: 'cdc manage-migrations check',
    group: GROUPS.databases,
    asks: 'sinks',
    ...NOT_CACHED,
  },
  {
    name: 'baseline',
    description: 'Records files as applied whose objects a target has already',
    command: 'cdc manage-migrations baseline',
    group: GROUPS.databases,
    asks: 'sinks',
    ...NOT_CACHED,
  },
  {
    name: 'merge',
    description: 'Merges staged events into the final tables, once or with --watch',
    command: 'cdc manage-migrations merge',
    group: GROUPS.databases,
    asks: 'sinks',
    ...NOT_CACHED,
  },
  {
    name: 'enable-cdc',
    description: 'Enables change data capture in the source databases of --env',
    command: 'cdc manage-migrations enable-cdc',
    group: GROUPS.databases,
    asks: 'sources',
    ...NOT_CACHED,
  },
];

module.exports = { STAGES };
