// Adds an import of every package to every other package, in memory, and checks that the module boundary rule allows
// exactly the arrows of eslint.config.mjs. Without a project graph the rule reports nothing, and this check fails.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';

const ROOT = join(import.meta.dirname, '..');
const RULE = '@nx/enforce-module-boundaries';

const eslint = new ESLint({ cwd: ROOT });
const packages = readPackages();
const allowed = await readArrows();
if (!(await isReported({ folder: 'config' }, { name: '@cdc-migrations/table-defs' }))) {
  console.error(
    'the rule is silent; without a project graph it is: run npx nx graph --file=tmp/graph.json',
  );
  process.exit(1);
}
const wrong = [];
let imports = 0;
for (const from of packages) {
  for (const to of packages) {
    if (from === to || !to.isImportable) continue;
    imports += 1;
    const isAllowed = allowed(from.tag, to.tag);
    if ((await isReported(from, to)) !== isAllowed) continue;
    wrong.push(`${from.folder} imports ${to.name}: ${isAllowed ? 'reported' : 'not reported'}`);
  }
}
console.log(`${imports} imports tried, ${wrong.length} not as the arrows say`);
for (const line of wrong) console.log(line);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Lists the packages that the rule applies to. */
function readPackages() {
  return readdirSync(join(ROOT, 'packages')).flatMap((folder) => {
    const manifest = JSON.parse(
      readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8'),
    );
    const [tag] = manifest.nx?.tags ?? [];
    return [{ folder, name: manifest.name, tag, isImportable: 'exports' in manifest }];
  });
}

async function readArrows() {
  const { rules } = await eslint.calculateConfigForFile(join(ROOT, 'packages/cli/src/main.ts'));
  const { depConstraints } = rules[RULE][1];
  const targets = new Map(
    depConstraints.map(({ sourceTag, onlyDependOnLibsWithTags }) => [
      sourceTag,
      onlyDependOnLibsWithTags,
    ]),
  );
  return (from, to) => (targets.get(from) ?? []).includes(to);
}

async function isReported(from, to) {
  const text = `import { anything } from '${to.name}';\nexport const taken = anything;\n`;
  const filePath = join(ROOT, 'packages', from.folder, 'src/boundary.ts');
  const [{ messages }] = await eslint.lintText(text, { filePath });
  return messages.some(({ ruleId }) => ruleId === RULE);
}
