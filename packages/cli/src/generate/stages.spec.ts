import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from '../cdc.fixture.ts';
import {
  adopusRepo,
  changesSince,
  copyOf,
  edit,
  read,
  smallRepo,
  treeOf,
  write,
} from '../repo.fixture.ts';
import { STAGES } from './stage.ts';

it('the stages in order write the same files as a whole run', () => {
  const [whole, staged] = [adopusRepo(), adopusRepo()];
  expect(generate(whole).code).toBe(0);
  for (const stage of STAGES) {
    expect(generate(staged, ['--only', stage])).toMatchObject({ code: 0 });
  }
  expect(treeOf(staged)).toEqual(treeOf(whole));
}, 60_000);

it('the stages write the same files as a whole run after a table moves to a second sink', () => {
  const done = smallRepo();
  expect(generate(done).code).toBe(0);
  edit(
    done,
    'services/adopus.yaml',
    '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n',
    '',
  );
  edit(
    done,
    'services/adopus.yaml',
    '  sinks:\n',
    '  sinks:\n    sink_asma.reports:\n      tables:\n' +
      '        adopus.Region: { from: dbo.Region, target_exists: false }\n',
  );
  const [whole, staged] = [copyOf(done), done];
  expect(generate(whole).code).toBe(0);
  for (const stage of STAGES) expect(generate(staged, ['--only', stage]).code).toBe(0);
  expect(treeOf(staged)).toEqual(treeOf(whole));
  for (const stage of STAGES) {
    expect(generate(staged, ['--only', stage, '--check'])).toMatchObject({ code: 0 });
  }
});

describe('a stage', () => {
  let done: string;
  let root: string;

  beforeAll(() => {
    done = smallRepo();
    expect(generate(done).code).toBe(0);
  });

  beforeEach(() => {
    root = copyOf(done);
  });

  it.each(STAGES.slice(1))('%s stops if the files of earlier stages are missing', (stage) => {
    const fresh = smallRepo();
    const before = treeOf(fresh);
    expect(generate(fresh, ['--only', stage])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'generated/migration-sets.yaml: not found; run the stages before this one\n',
    });
    expect(changesSince(before, fresh)).toEqual([]);
  });

  it.each(['tables', 'staging', 'migrations'])(
    '%s does not treat missing definitions as removed tables',
    (stage) => {
      rmSync(join(root, 'generated/table-definitions'), { recursive: true });
      const before = treeOf(root);
      expect(generate(root, ['--only', stage])).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'generated/table-definitions: contains no table of adopus in sink_asma.directory; ' +
          'run the stages before this one\n',
      });
      expect(changesSince(before, root)).toEqual([]);
    },
  );

  it.each([
    ['tables', 'generated/table-definitions/Actor.yaml'],
    ['staging', 'generated/table-definitions/Actor.yaml'],
    ['schemas', 'generated/migration-sets.yaml'],
    ['infrastructure', 'generated/migration-sets.yaml'],
    ['migrations', 'migrations/tables/Actor.sql'],
    ['migrations', 'migrations/schemas/create-schemas.sql'],
  ])('%s refuses an edited %s', (stage, path) => {
    write(root, path, `${read(root, path)}\n`);
    const before = treeOf(root);
    expect(generate(root, ['--only', stage])).toEqual({
      code: 6,
      stdout: '',
      stderr: `${path}: this generated file was edited; cdc manage-migrations generate --force rewrites all files\n`,
    });
    expect(changesSince(before, root)).toEqual([]);
    expect(generate(root, ['--force']).code).toBe(0);
    expect(treeOf(root)).toEqual(treeOf(done));
  });

  it('names the missing file', () => {
    rmSync(join(root, 'migrations/staging/Actor-staging.sql'));
    expect(generate(root, ['--only', 'migrations'])).toMatchObject({
      code: 2,
      stderr: 'migrations/staging/Actor-staging.sql: not found; run the stages before this one\n',
    });
  });

  it('with --force removes other files from its folders', () => {
    for (const folder of ['tables', 'staging', 'manual']) {
      write(root, `migrations/${folder}/extra.sql`, 'SELECT 1;\n');
    }
    write(root, 'migrations/README.md', 'Ours.\n');
    const before = treeOf(root);
    for (const stage of STAGES.slice(0, -1)) {
      expect(generate(root, ['--only', stage, '--force']).code).toBe(0);
    }
    expect(generate(root, ['--only', 'migrations', '--force']).stdout).toContain(
      'changed migrations/manifest.yaml\n',
    );
    expect(changesSince(before, root)).toEqual([
      '~ migrations/manifest.yaml',
      '- migrations/staging/extra.sql',
      '- migrations/tables/extra.sql',
    ]);
  });

  it('is not stopped by a mistake in a file that it does not need', () => {
    const failing = () => STAGES.filter((stage) => generate(root, ['--only', stage]).code !== 0);
    const sourceGroups = read(root, 'source-groups.yaml');
    write(root, 'source-groups.yaml', 'adopus: [');
    expect(failing()).toEqual(['schemas', 'migrations']);
    write(root, 'source-groups.yaml', sourceGroups);
    write(root, 'services/adopus.yaml', '');
    expect(failing()).toEqual(['table-defs', 'migrations']);
  });
});
