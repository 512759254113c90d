/**
 * Measures `apply` and `check` on a real server, compared with psql running the same files as one script.
 *
 *     node tools/bench/apply.mjs [--rounds 3] [--tenants 26] [--write]
 *
 * With more tenants than the fixture has, it measures only `apply --jobs 4`, an `apply` of an up-to-date target, and
 * `check`, once each. It needs `npm run build` and Debian's `postgresql-15` with stock settings.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { parseManifest } from '@cdc-migrations/table-defs';
import { measureInTurn } from './measure.mjs';
import { describeMachine, renderSection, writeSection } from './report.mjs';

/** @import { Command } from './measure.mjs' */

const FIXTURE_TENANTS = 26;
const ROOT = join(import.meta.dirname, '../..');
const REPO = join(ROOT, 'tmp/bench-apply');
const CDC = [process.execPath, join(ROOT, 'packages/cli/bin/cdc.js'), 'manage-migrations'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    tenants: { type: 'string', default: String(FIXTURE_TENANTS) },
    write: { type: 'boolean', default: false },
  },
});
const tenants = Number(values.tenants);
const names = Array.from({ length: tenants }, (_, n) => `tenant${String(n).padStart(4, '0')}`);

const server = await startDebianPostgres();
Object.assign(process.env, {
  POSTGRES_PROD_HOST: server.host,
  POSTGRES_PROD_PORT: String(server.port),
  POSTGRES_PROD_USER: 'postgres',
  POSTGRES_PROD_PASSWORD: server.password,
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: 'postgres',
  PGPASSWORD: server.password,
});
const psql = ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1'];

writeRepo();
const isLarge = tenants > FIXTURE_TENANTS;
const rounds = isLarge ? 1 : Number(values.rounds);
const floor = command(
  'psql, one script',
  [...psql, '-d', 'directory', '-f', join(REPO, 'all.sql')],
  true,
);
const four = command('apply --jobs 4', cdc('apply', '--jobs', '4'), true, 'ratio under 0.7');
const applies = isLarge
  ? [four]
  : [
      floor,
      command('apply --jobs 1', cdc('apply', '--jobs', '1'), true, 'ratio at most 1.2'),
      four,
    ];
const again = [
  command('apply, nothing to do', cdc('apply'), false),
  command(
    'check',
    cdc('check', '--exclude', 'public.*'),
    false,
    tenants === 260 ? 'under 3 s' : '',
  ),
];
const runs = [measureOnce(applies, rounds), measureOnce(again, Math.max(rounds, 3))].flat();
const lines = [...applies, ...again].map((line, i) => ({
  name: line.name,
  aim: line.aim,
  runs: runs[i] ?? [],
  ...(i > 0 && i < applies.length && { baseline: runs[0] ?? [] }),
}));
const section = renderSection(`apply and check, ${tenants} tenants of 78 files`, lines);
console.log(section);
if (values.write) {
  const text = `${section}\n${describeMachine()}, Debian's PostgreSQL 15 with stock settings, ${rounds} rounds.`;
  writeSection(join(ROOT, 'BENCHMARKS.md'), `apply-${tenants}`, text);
}
rmSync(REPO, { recursive: true });
await server.stop();

/** @param {...string} args */
function cdc(...args) {
  return [...CDC, '--root', REPO, args[0] ?? '', '--env', 'prod', ...args.slice(1)];
}

/**
 * @param {string} name
 * @param {readonly string[]} argv
 * @param {boolean} isFresh begin with an empty database
 * @param {string} [aim]
 * @returns {Command & { aim: string }}
 */
function command(name, argv, isFresh, aim = '') {
  const cwd = () => {
    if (isFresh) recreateDatabase();
    return ROOT;
  };
  return { name, argv, cwd, aim };
}

/**
 * A large apply is not warmed up.
 *
 * @param {readonly Command[]} commands
 * @param {number} count
 */
function measureOnce(commands, count) {
  return measureInTurn(commands, count, { warmUp: !isLarge });
}

function recreateDatabase() {
  for (const statement of [
    'DROP DATABASE IF EXISTS directory WITH (FORCE)',
    'CREATE DATABASE directory',
  ]) {
    const { status, stderr } = spawnSync(
      'psql',
      [...psql.slice(1), '-d', 'postgres', '-c', statement],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(stderr);
  }
}

/** Writes the fixture with these tenants, and all of its files as one script with a transaction per file. */
function writeRepo() {
  rmSync(REPO, { recursive: true, force: true });
  mkdirSync(REPO, { recursive: true });
  for (const part of ['services', 'generated', 'sink-groups.yaml', 'source-groups.yaml']) {
    cpSync(join(ROOT, 'fixtures/adopus', part), join(REPO, part), { recursive: true });
  }
  const sinks = readFileSync(join(REPO, 'sink-groups.yaml'), 'utf8');
  const clearText = sinks.replace(/^( +)password: .*$/gm, '$&\n$1sslmode: disable');
  writeFileSync(join(REPO, 'sink-groups.yaml'), clearText);
  const groups = readFileSync(join(REPO, 'source-groups.yaml'), 'utf8');
  const before = groups.slice(0, groups.indexOf('\n  sources:\n'));
  const sources = names.map(
    (name) =>
      `    ${name}:\n      schemas: [dbo]\n      prod: { server: prod, database: ${name} }\n`,
  );
  writeFileSync(join(REPO, 'source-groups.yaml'), `${before}\n  sources:\n${sources.join('')}`);
  const [node = '', ...args] = [...CDC, '--root', REPO, 'generate'];
  const { status, stderr } = spawnSync(node, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  if (tenants <= FIXTURE_TENANTS) writeFileSync(join(REPO, 'all.sql'), concatenate());
}

function concatenate() {
  const read = (/** @type {string} */ path) => readFileSync(join(REPO, 'migrations', path), 'utf8');
  const manifest = parseManifest(read('manifest.yaml'), 'manifest.yaml');
  const wrap = (/** @type {string} */ text) => `BEGIN;\n${text}COMMIT;\n`;
  const once = manifest.files.filter(({ scope }) => scope === 'database');
  const each = manifest.files.filter(({ scope }) => scope === 'tenant');
  const texts = each.map(({ path }) => read(path));
  return [
    ...once.map(({ path }) => wrap(read(path))),
    ...names.flatMap((name) => texts.map((text) => wrap(text.replaceAll('{{SCHEMA}}', name)))),
  ].join('');
}
