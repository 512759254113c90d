import { CommandError, EXIT } from '../exit-code.ts';
import { readIfThere } from '../repo/repo-files.ts';
import type { ScaffoldFile } from './scaffold-options.ts';

/** What becomes of a file of a new repo. */
export interface ScaffoldStep {
  /** Relative to the workspace. */
  readonly path: string;
  readonly action: 'create' | 'change' | 'keep';
  readonly text: string;
}

/**
 * What would become of the files in a workspace. Reads only.
 *
 * @throws CommandError that names all files that are in the way.
 */
export function planScaffold(
  workspace: string,
  files: readonly ScaffoldFile[],
): readonly ScaffoldStep[] {
  const found = files.map((file) => ({ ...file, before: readIfThere(workspace, file.path) }));
  const inTheWay = found.filter(({ before, ifThere, text }) => {
    return ifThere === 'refuse' && before !== undefined && before !== text;
  });
  if (inTheWay.length > 0) {
    const lines = inTheWay.map(
      ({ path }) => `${path}: is there already; choose another folder, or move it away`,
    );
    throw new CommandError(lines.join('\n'), EXIT.edited);
  }
  return found.map(({ path, text, before, ifThere }): ScaffoldStep => {
    if (before === undefined) return { path, action: 'create', text };
    const after = ifThere === 'add-lines' ? addLines(before, text) : before;
    return { path, action: after === before ? 'keep' : 'change', text: after };
  });
}

/** The text with the lines that it lacks, comments only where there are such lines. */
function addLines(before: string, text: string): string {
  const there = new Set(before.split(/\r?\n/));
  const lines = text.split('\n').filter((line) => line !== '' && !there.has(line));
  if (lines.every((line) => line.startsWith('#'))) return before;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${gap}${lines.join('\n')}\n`;
}
