import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { benchInstallation, installCli } from './install-bench.mjs';
import { benchIntrospection } from './introspect-bench.mjs';
import { measureInTurn } from './measure.mjs';
import { hitFixtures, hitSynthetic } from './nx-bench.mjs';
import { writeSyntheticRepo } from './synthetic-repo.mjs';

/** @import { Command } from './measure.mjs' */
/** @import { Line } from './report.mjs' */

const ROOT = join(import.meta.dirname, '../..');
/** Folder for everything that the benches write. The command creates and removes it. */
export const TMP = join(ROOT, 'tmp/bench');
const CDC = [process.execPath, join(ROOT, 'packages/cli/bin/cdc.js')];

/** @type {Command} */
const NODE = { name: 'node -e 0', argv: [process.execPath, '-e', '0'], cwd: ROOT };

/**
 * Benches by their name on the command line.
 *
 * @type {Readonly<Record<string, { readonly title: string, readonly run: (rounds: number) => Line[] }>>}
 */
export const BENCHES = {
  start: {
    title: 'Start of the command line, installed from its tarball',
    run: (rounds) => {
      const argv = [process.execPath, installCli(join(TMP, 'start')), '--help'];
      const start = { name: 'cdc --help', argv, cwd: ROOT, aim: 'ratio at most 1.6' };
      return compare(NODE, [start], rounds);
    },
  },
  generate: {
    title: '`cdc manage-migrations generate`, tables of 25 columns, 26 tenants',
    run: (rounds) => [
      ...compare(NODE, generate(39, ['ratio at most 4', 'ratio at most 4']), rounds),
      ...compare(NODE, generate(400, ['', '']), rounds),
      ...compare(NODE, generate(4000, ['at most 2 s, linear', 'at most 1 s']), Math.min(rounds, 5)),
    ],
  },
  nx: {
    title:
      '`nx run-many -t migrations` with all tasks in the cache, compared with the same number of empty cached tasks',
    run: (rounds) => {
      const fixtures = hitFixtures(join(TMP, 'nx'));
      const large = hitSynthetic(join(TMP, 'nx'), 400);
      return [
        ...compare(fixtures.floor, [{ ...fixtures.run, aim: 'ratio at most 1.2' }], rounds),
        ...compare(large.floor, [{ ...large.run, tables: 400 }], rounds),
      ];
    },
  },
  introspect: {
    title:
      'Reading a catalog of SQL Server with 25 columns per table: one query per table, or all tables together',
    run: (rounds) => benchIntrospection(rounds, join(TMP, 'introspect')),
  },
};

/**
 * Figures that are counted once and not measured in rounds. Each gives a table.
 *
 * @type {Readonly<Record<string, { readonly title: string, readonly count: () => string }>>}
 */
export const COUNTS = {
  install: {
    title: 'Size of each package when installed, without optional dependencies',
    count: () => benchInstallation(join(TMP, 'install')),
  },
};

/**
 * @param {Command} baseline
 * @param {readonly (Command & { readonly aim?: string, readonly tables?: number })[]} commands
 * @param {number} rounds
 * @returns {Line[]} the baseline's line first
 */
function compare(baseline, commands, rounds) {
  const [baselineRuns = [], ...runs] = measureInTurn([baseline, ...commands], rounds);
  return [
    { name: baseline.name, runs: baselineRuns },
    ...commands.map(({ name, aim, tables }, i) => ({
      name,
      runs: runs[i] ?? [],
      baseline: baselineRuns,
      ...(aim && { aim }),
      ...(tables && { tables }),
    })),
  ];
}

/**
 * Builds the commands for a first generation and for one without changes. Every first one has its own folder, because
 * some file systems create files several times slower right after a deletion of many files.
 *
 * @param {number} tables
 * @param {readonly [string, string]} aims of each
 */
function generate(tables, [first, again]) {
  const parent = mkdtempSync(join(TMP, `repo-${tables}-`));
  let made = 0;
  const makeRepo = () => {
    const folder = join(parent, String(made++));
    writeSyntheticRepo(folder, tables);
    return folder;
  };
  const argv = [...CDC, 'manage-migrations', 'generate'];
  return [
    { name: `${tables} tables, first`, argv, cwd: makeRepo, aim: first, tables },
    { name: `${tables} tables, again`, argv, cwd: makeRepo(), aim: again, tables },
  ];
}
