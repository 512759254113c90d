// Checks the types of one project with its tests: node tools/typecheck.mjs packages/config
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const [project = ''] = process.argv.slice(2);

const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.spec.json'), 'utf8'));
const folder = join(ROOT, 'tmp/typecheck');
const config = join(folder, `${project.replaceAll('/', '-')}.json`);
mkdirSync(folder, { recursive: true });
writeFileSync(
  config,
  JSON.stringify({ extends: '../../tsconfig.spec.json', include: include.flatMap(ofProject) }),
);
const { status } = spawnSync(process.execPath, [TSC, '-p', config], { stdio: 'inherit' });
process.exitCode = status ?? 1;

/** Restricts a pattern to this project. Returns nothing if it is for other projects. */
function ofProject(pattern) {
  const own = pattern.replace(/^(packages|tools)\/\*\//, (_, parent) =>
    project.startsWith(`${parent}/`) ? `${project}/` : `${parent}/*/`,
  );
  return own.startsWith(`${project}/`) ? [`../../${own}`] : [];
}
