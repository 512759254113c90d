import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, markdownTable } from './markdown-table.ts';

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Imports of the command line, which is bundled and has no dependencies. Elsewhere only specs use them. */
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const SCOPE = '@cdc-migrations/';

/** Renders the packages in the order of their imports, each with its input, output and imports. */
export function renderPackages(root: string): string {
  const packages = readdirSync(join(root, 'packages')).map((folder) => {
    const text = readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8');
    return { folder, ...(JSON.parse(text) as Manifest) };
  });
  const published = new Set(packages.map(({ name }) => name));
  const importsOf = ({ dependencies, devDependencies = {} }: Manifest) =>
    Object.keys(dependencies ?? devDependencies)
      .filter((name) => published.has(name))
      .map((name) => name.slice(SCOPE.length));
  const depthOf = (name: string): number => {
    const found = packages.find((entry) => entry.name === SCOPE + name);
    return found ? 1 + Math.max(0, ...importsOf(found).map(depthOf)) : 0;
  };
  const rows = packages
    .map((entry) => ({ ...entry, depth: depthOf(entry.name.slice(SCOPE.length)) }))
    .sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1))
    .map((entry) => [
      `[${code(entry.name.slice(SCOPE.length))}](../packages/${entry.folder})`,
      entry.description.replace(/ <-> /g, ' ↔ ').replace(/ -> /g, ' → '),
      importsOf(entry).map(code).join(', ') || '–',
    ]);
  return markdownTable(['package', 'input → output', 'imports'], rows);
}
