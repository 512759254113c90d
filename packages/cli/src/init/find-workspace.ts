import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatProblem, parseShape, reportIn, type Problem } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { CommandError } from '../exit-code.ts';
import type { PackageManager } from './scaffold-options.ts';

const NX_PLUGIN = '@cdc-migrations/nx';

/** Folder that contains a new repo, its packages and its CI. */
export interface Workspace {
  readonly root: string;
  /** True if nx.json has our plugin. */
  readonly nx: boolean;
  readonly packageManager: PackageManager;
}

/**
 * Finds the workspace of a folder, which may not exist yet: the one of Nx or git, otherwise of npm, otherwise the
 * folder itself.
 */
export function findWorkspace(folder: string): Workspace {
  const root = nearest(folder, ['nx.json', '.git']) ?? nearest(folder, ['package.json']) ?? folder;
  const nxJson = join(root, 'nx.json');
  return {
    root,
    nx: existsSync(nxJson) && readFileSync(nxJson, 'utf8').includes(NX_PLUGIN),
    packageManager: existsSync(join(root, 'pnpm-lock.yaml'))
      ? 'pnpm'
      : existsSync(join(root, 'yarn.lock'))
        ? 'yarn'
        : 'npm',
  };
}

function nearest(folder: string, marks: readonly string[]): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (marks.some((mark) => existsSync(join(at, mark)))) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** Reads the Nx project name from project.json or package.json in the folder. */
export function readProjectName(folder: string): string | undefined {
  for (const file of ['project.json', 'package.json']) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    const project = parseProject(readFileSync(path, 'utf8'), path);
    if (project.nx?.name ?? project.name) return project.nx?.name ?? project.name;
  }
  return undefined;
}

const projectName = v.optional(v.string('expected the name of a project'));
const projectSchema = v.looseObject({
  name: projectName,
  nx: v.optional(v.looseObject({ name: projectName })),
});

function parseProject(text: string, file: string): v.InferOutput<typeof projectSchema> {
  const problems: Problem[] = [];
  const report = reportIn(file, problems);
  try {
    const { whole } = parseShape(projectSchema, JSON.parse(text), report);
    if (whole) return whole;
  } catch (cause) {
    report([], `expected JSON, found ${(cause as SyntaxError).message}`);
  }
  throw new CommandError(problems.map(formatProblem).join('\n'));
}
