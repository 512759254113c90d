import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig, tenantsOf, type Config } from '@cdc-migrations/config';
import { diffTables } from '@cdc-migrations/table-defs';
import { checkTarget, readTableHealth } from '@cdc-migrations/tracker';
import { changeFacts } from '../diff/change-facts.ts';
import { listWarnings } from '../diff/list-warnings.ts';
import { readBase } from '../diff/read-base.ts';
import { listClauses } from '../diff/render-table.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { explainTables } from '../explain/explain.ts';
import { countOf } from '../count-of.ts';
import { print, printJson, printMessage } from '../print.ts';
import { findRoot } from '../repo/find-root.ts';
import { locateError } from '../repo/locate-error.ts';
import { readCommitted } from '../repo/read-outputs.ts';
import { reasonOf } from '../repo/repo-files.ts';
import { readStatus } from '../status/status.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { renderRepair } from '../target/render-differences.ts';
import { withSession } from '../target/report-targets.ts';
import { selectTargets } from '../target/select-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { packPage } from './pack-page.ts';
import type { PageFlow } from './page-data.ts';
import { renderPage, type PageFiles } from './render-page.ts';
import type { ReportDocument, ReportedChanges, ReportedTarget } from './report-document.ts';

export interface ReportOptions extends TargetOptions {
  /** File of the page. */
  readonly out?: string;
  /** Commit of git that the definitions are compared with. */
  readonly since?: string;
  readonly drift?: boolean;
  /** Globs over `<schema>.<name>` of what is no drift. */
  readonly exclude?: readonly string[];
  readonly json?: boolean;
}

/**
 * Writes a page about the targets of an environment, or prints its data. Returns the exit code of `status`; 1 too if
 * there is drift.
 *
 * @throws ConfigError, FileError, CommandError
 */
export async function report(options: ReportOptions): Promise<number> {
  const { env, out, since, json } = options;
  if (out === undefined && !json) throw new CommandError('expected --out <file>, --json, or both');
  if (options.exclude && !options.drift)
    throw new CommandError('--exclude needs --drift; add --drift');
  const root = findRoot(options.root);
  const config = readConfigAt(root);
  const tables = explainTables(root, {});
  const changes = since === undefined ? undefined : readChanges(root, since);
  return withTargets(options, async ({ targets }) => {
    const answers = [];
    for (const target of selectTargets(targets, options.schema)) {
      answers.push(await ask(target, config, options));
    }
    const sets = new Set(answers.map(({ reported }) => reported.set));
    const document: ReportDocument = {
      exitCode: worstExitCode(answers.map(({ exitCode }) => exitCode)),
      ...{ env, madeAt: new Date().toISOString() },
      targets: answers.map(({ reported }) => reported),
      tables: tables.filter(({ set }) => sets.has(set)),
      ...(changes && { since: changes }),
    };
    const written = out === undefined ? [] : [writePage(out, document)];
    if (json) printJson(document);
    else print([...document.targets.map(describe), ...written]);
    return document.exitCode;
  });
}

function readConfigAt(root: string): Config {
  try {
    return readConfig(root);
  } catch (error) {
    throw locateError(error, root);
  }
}

/** What became of the definitions since a commit. */
function readChanges(root: string, commit: string): ReportedChanges {
  const changes = diffTables(readBase(root, commit, '--since'), readCommitted(root));
  return {
    commit,
    changes: changes.map((change) => {
      const { table, what, lock } = changeFacts(change);
      const { kind, class: changeClass } = change;
      return { kind, class: changeClass, table, what, lock, sql: listClauses(change) };
    }),
    warnings: listWarnings(changes),
  };
}

interface Answer {
  readonly exitCode: number;
  readonly reported: ReportedTarget;
}

/** Asks a target; the reason why it could not be asked goes to standard error too. */
async function ask(target: CommandTarget, config: Config, options: ReportOptions): Promise<Answer> {
  const { label, migrations } = target;
  const facts = {
    ...{ target: label, set: migrations.set.name },
    flow: buildFlow(target, config, options.env),
  };
  try {
    return await withSession(target, 'cdc report', async (session) => {
      const [{ exitCode, lines, document }, merges, differences] = await Promise.all([
        readStatus(session, target, options.schema),
        readTableHealth(session),
        options.drift ? readDifferences(session, target, options) : undefined,
      ]);
      const shown = new Set(document.schemas.map(({ schema }) => schema));
      return {
        exitCode: worstExitCode([exitCode, differences?.length ? EXIT.differences : EXIT.done]),
        reported: {
          ...facts,
          summary: String(lines[0]).slice(`${label}: `.length),
          ...document,
          files: migrations.files.map(({ path, table }) => ({ path, table: table?.name ?? null })),
          merges: (merges ?? []).filter(({ schema }) => shown.has(schema)),
          ...(differences && { differences }),
        },
      };
    });
  } catch (error) {
    const located = locateTargetError(error, label, target.place);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    return { exitCode: located.exitCode, reported: { ...facts, error: located.message } };
  }
}

async function readDifferences(
  session: Parameters<typeof checkTarget>[0],
  { migrations, tenants, knownTenants }: CommandTarget,
  { env, schema: only, exclude }: ReportOptions,
) {
  const found = await checkTarget(session, migrations, { tenants, knownTenants, only, exclude });
  return found.map((difference) => {
    const { repair: _, ...facts } = difference;
    const repair = renderRepair(difference, env);
    return { ...facts, ...(repair !== undefined && { repair }) };
  });
}

function buildFlow({ migrations, group }: CommandTarget, config: Config, env: string): PageFlow {
  const { sourceGroup, services } = migrations.set;
  const source = config.sourceGroups.find(({ name }) => name === sourceGroup)!;
  const sink = config.sinkGroups.find(({ name }) => name === group);
  return {
    ...{ sourceGroup, sourceType: source.type, services },
    databases: tenantsOf(source, env).length,
    writer: sink?.pipeline?.writer ?? null,
  };
}

function describe(target: ReportedTarget): string {
  return `${target.target}: ${target.error === undefined ? target.summary : 'no answer'}`;
}

/** Writes the page and returns what there is to say of it. */
function writePage(path: string, document: ReportDocument): string {
  const page = renderPage(packPage(document), readPageFiles());
  const location = resolve(path);
  try {
    writeFileSync(location, page);
  } catch (error) {
    throw new CommandError(`--out ${path}: cannot be written: ${reasonOf(error)}`);
  }
  const kilobytes = Math.ceil(Buffer.byteLength(page) / 1000);
  return `${path}: ${countOf(document.targets.length, 'target')}, ${kilobytes} kB`;
}

/** Reads the script and the style that build.mjs puts beside the bundle. */
function readPageFiles(): PageFiles {
  const read = (name: string) => readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
  return { script: read('report-page.js'), style: read('report-style.css') };
}
