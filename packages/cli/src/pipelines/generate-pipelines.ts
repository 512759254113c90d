import { ConfigError, formatProblem, readConfig, type Config } from '@cdc-migrations/config';
import { findBidiControls } from '@cdc-migrations/generated-file';
import { buildDefinitions } from '@cdc-migrations/table-defs';
import { EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { planFiles, isInTheWay } from '../repo/plan-files.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { reportFiles } from '../repo/report-files.ts';
import { listFiles, readIfThere } from '../repo/repo-files.ts';
import { writeFiles } from '../repo/write-files.ts';
import { locateError } from '../repo/locate-error.ts';
import { buildPipelines, PIPELINES_FOLDER } from './build-pipelines.ts';

export interface GeneratePipelinesOptions {
  readonly root?: string;
  readonly dryRun?: boolean;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * Updates the pipelines of an implementation repo and returns the exit code. Writes all of them or none.
 *
 * @throws ConfigError, SnapshotError, CommandError before anything is written
 */
export function generatePipelines(options: GeneratePipelinesOptions): number {
  const root = findRoot(options.root);
  const { files, warnings } = build(root);
  const present = listFiles(root, PIPELINES_FOLDER);
  const steps = planFiles(root, { files, present, sets: [] }, { ...options, only: 'pipelines' });
  const refused = steps.filter(isInTheWay);
  const mode = options.check ? 'check' : options.dryRun ? 'dry-run' : 'write';
  const written = mode === 'write' && refused.length === 0;
  if (written) writeFiles(root, steps);
  const differs = steps.some(({ action }) => action !== 'keep' && action !== 'extra');
  const exitCode =
    refused.length > 0 ? EXIT.edited : mode === 'check' && differs ? EXIT.differences : EXIT.done;
  reportFiles({ mode, steps, refused, written, warnings, exitCode }, options.json ?? false);
  return exitCode;
}

function build(root: string) {
  try {
    const [config, catalogs] = [readConfig(root), readSnapshots(root)];
    const definitions = buildDefinitions(config, catalogs);
    const files = buildPipelines(config, catalogs, definitions, readTransforms(root, config));
    return { files, warnings: [...definitions.warnings.map(formatProblem), ...listPolled(config)] };
  } catch (error) {
    throw locateError(error, root);
  }
}

/** Warns if Bento is configured to read the change tables. No pipeline that does so is written. */
function listPolled({ sinkGroups, services }: Config): readonly string[] {
  const tables = services.flatMap(({ sinks }) => sinks.flatMap((sink) => sink.tables));
  return [...sinkGroups, ...tables]
    .filter(({ pipeline }) => pipeline?.events === 'bento-sql-raw')
    .map(({ at }) => {
      const problem = { at: { file: at.file, keys: [...at.keys, 'pipeline', 'events'] } };
      const message =
        'bento-sql-raw: the pipeline that reads the change tables is yours; only the one that writes is generated';
      return formatProblem({ ...problem, message });
    });
}

/** Reads the Bloblang files whose outputs are columns, by their reference. */
function readTransforms(root: string, { services }: Config): ReadonlyMap<string, string> {
  const transforms = services.flatMap(({ sinks }) =>
    sinks.flatMap(({ tables }) => tables.flatMap((table) => table.transforms)),
  );
  const texts = new Map<string, string>();
  const problems = transforms
    .filter(({ expectedOutputColumn }) => expectedOutputColumn !== undefined)
    .flatMap(({ at, bloblangRef }) => {
      const path = /^file:\/\/(services\/.+\.blobl)$/.exec(bloblangRef)?.[1];
      const text = path === undefined ? undefined : readIfThere(root, path);
      if (text !== undefined) texts.set(bloblangRef, text);
      const turning = findBidiControls(text ?? '').map(({ line, letter }) => ({
        ...{ at: { file: path!, keys: [] }, line },
        message: `expected no ${letter}, which changes the text direction`,
      }));
      if (turning.length > 0) return turning;
      const message = `expected file://services/<path>.blobl of a file that is there, found ${bloblangRef}`;
      return text === undefined
        ? [{ at: { file: at.file, keys: [...at.keys, 'bloblang_ref'] }, message }]
        : [];
    });
  if (problems.length > 0) throw new ConfigError(problems);
  return texts;
}
