import { basename, relative, resolve, sep, posix } from 'node:path';
import { tenantNameProblem } from '@cdc-migrations/config';
import { characterProblem } from '@cdc-migrations/generated-file';
import { CommandError, EXIT } from '../exit-code.ts';
import { writeFiles } from '../repo/write-files.ts';
import { print, printJson } from '../print.ts';
import { readIfThere } from '../repo/repo-files.ts';
import { buildScaffold } from './build-scaffold.ts';
import { findWorkspace, readProjectName } from './find-workspace.ts';
import {
  RUN,
  type ScaffoldOptions,
  ENVIRONMENTS,
  serverVariables,
  shellWord,
  sinkRole,
  type ScaffoldFile,
} from './scaffold-options.ts';
import { renderExampleSnapshot } from './service-files.ts';

/** Options of `cdc init` as users give them. */
export interface InitOptions extends Pick<ScaffoldOptions, 'pattern' | 'ci'> {
  readonly folder: string;
  readonly name?: string;
  readonly service?: string;
  readonly type?: ScaffoldOptions['type'];
  /** The default is true if the workspace has our plugin. */
  readonly nx?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * Creates an implementation repo and returns the exit code. Never overwrites a file.
 *
 * @throws CommandError before anything is written
 */
export function init(given: InitOptions): number {
  const { root, options } = resolveOptions(given);
  const steps = planScaffold(root, buildScaffold(options));
  if (!given.dryRun) writeFiles(root, steps);
  const next = nextSteps(options);
  if (given.json) printJson({ exitCode: EXIT.done, workspace: root, files: steps, next });
  else print(renderText(steps, next, given));
  return EXIT.done;
}

function resolveOptions(given: InitOptions): { root: string; options: ScaffoldOptions } {
  const folder = resolve(given.folder);
  const workspace = findWorkspace(folder);
  const name = given.name ?? nameOf(folder);
  const service = given.service ?? name;
  const problems = [
    nameProblem('--name', name),
    given.service === undefined ? undefined : nameProblem('--service', service),
    folderProblem(relative(workspace.root, folder)),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return {
    root: workspace.root,
    options: {
      name,
      service,
      pattern: given.pattern,
      type: given.type ?? (given.pattern === 'db-per-tenant' ? 'mssql' : 'postgres'),
      folder: relative(workspace.root, folder).split(sep).join('/') || '.',
      ci: given.ci,
      nx: given.nx ?? workspace.nx,
      packageManager: workspace.packageManager,
      project: readProjectName(folder) ?? name,
    },
  };
}

/** Converts a folder name to a name: `My repo` becomes `my_repo`. */
function nameOf(folder: string): string {
  return basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/** Returns the reason why CI cannot use this folder. */
function folderProblem(folder: string): string | undefined {
  const problem = characterProblem(folder, 'choose another folder');
  if (problem !== undefined) return problem;
  const found = ['${{', '\\'].find((text) => folder.split(sep).join('/').includes(text));
  return (
    found &&
    `${folder}: the path contains ${found}, which has a special meaning in CI; choose another folder`
  );
}

const WORDS_OF_YAML = /^(true|false|null|yes|no|on|off|y|n)$/i;

/** Returns the reason why a name does not work in YAML, SQL and variables. */
function nameProblem(option: string, name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(name) || WORDS_OF_YAML.test(name)) {
    const expected = 'expected a letter followed by at most 39 letters, digits and _';
    return `${option} "${name}": ${expected}; set ${option}`;
  }
  const problem = tenantNameProblem(name);
  return problem === undefined ? undefined : `${option}: ${problem}`;
}

function renderText(
  steps: readonly ScaffoldStep[],
  next: readonly string[],
  { dryRun = false }: InitOptions,
): readonly string[] {
  const words = dryRun
    ? { create: 'would create', change: 'would change', keep: 'would keep' }
    : { create: 'created', change: 'changed', keep: 'kept' };
  const lines = steps.map(({ path, action }) => `${words[action]} ${path}`);
  const numbered = next.map((step, index) => `${index + 1}. ${step}`);
  return [...lines, '', 'Next:', ...numbered];
}

/** Lists the next steps for a new repo, one sentence each. */
function nextSteps(options: ScaffoldOptions): readonly string[] {
  const { name, service, folder } = options;
  const at = (path: string) => posix.join(folder, path);
  const run = commandOf(options);
  const variables = Object.values(serverVariables(options, 'source', ENVIRONMENTS[0]));
  return [
    `${run('migrations', 'generate')} generates the SQL of the example table, ` +
      `and ${run('apply', 'apply --env embedded')} applies it to a bundled PostgreSQL; before, set CDC_DB_USER=${sinkRole(options)}, the role of the sink pipeline, like CI`,
    `write your databases into ${at('source-groups.yaml')} and ${at('sink-groups.yaml')}, ` +
      `your tables into ${at(`services/${service}.yaml`)}`,
    `set ${variables.join(', ')}, then ${run('introspect', 'schema-docs')} reads the structure of your tables; ` +
      `${at(renderExampleSnapshot(options).path)} is an example: delete it when your database has another name`,
    `${run('migrations', 'generate')} again, and commit all of ${folder === '.' ? name : folder}`,
  ];
}

function commandOf({ project, nx, folder, packageManager }: ScaffoldOptions) {
  const run = nx && packageManager === 'npm' ? 'npx' : RUN[packageManager];
  const root = folder === '.' ? '' : ` --root ${shellWord(folder)}`;
  return (target: string, command: string) =>
    nx
      ? `${run} nx run ${shellWord(`${project}:${target}`)}`
      : `${run} cdc manage-migrations ${command}${root}`;
}

/** Action for a file of a new repo. */
interface ScaffoldStep {
  /** Path relative to the workspace. */
  readonly path: string;
  readonly action: 'create' | 'change' | 'keep';
  readonly text: string;
}

/**
 * Plans the files of a new repo in a workspace. Reads only.
 *
 * @throws CommandError that names all files in the way
 */
function planScaffold(workspace: string, files: readonly ScaffoldFile[]): readonly ScaffoldStep[] {
  const found = files.map((file) => ({ ...file, before: readIfThere(workspace, file.path) }));
  const inTheWay = found.filter(({ before, ifThere, text }) => {
    return ifThere === 'refuse' && before !== undefined && before !== text;
  });
  if (inTheWay.length > 0) {
    const lines = inTheWay.map(
      ({ path }) => `${path}: exists already; choose another folder, or move the existing file`,
    );
    throw new CommandError(lines.join('\n'), EXIT.edited);
  }
  return found.map(({ path, text, before, ifThere }): ScaffoldStep => {
    if (before === undefined) return { path, action: 'create', text };
    const after = ifThere === 'add-lines' ? addLines(before, text) : before;
    return { path, action: after === before ? 'keep' : 'change', text: after };
  });
}

/** Adds missing lines to a text, and their comments only if lines are missing. */
function addLines(before: string, text: string): string {
  const there = new Set(before.split(/\r?\n/));
  const lines = text.split('\n').filter((line) => line !== '' && !there.has(line));
  if (lines.every((line) => line.startsWith('#'))) return before;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${gap}${lines.join('\n')}\n`;
}
