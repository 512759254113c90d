import { visible } from '@cdc-migrations/generated-file';
import {
  buildTransaction,
  expandSchema,
  NO_SCHEMAS,
  TABLE_LOCK_TIMEOUT_MS,
  type SchemaWork,
  type Work,
} from './file-transaction.ts';
import { INTERRUPTED, recordApplied, recordFailed } from '../history/history-sql.ts';
import { PLAIN_SETTINGS } from '../session/plain-settings.ts';
import {
  isWithoutTransaction,
  WHOLE_DATABASE,
  type MigrationFile,
} from '../migrations/migrations.ts';
import { buildRecreation, readObstructed, splitFiles, type ObstructedFile } from './dependants.ts';
import type { ApplyPlan, SchemaRun } from './plan-apply.ts';
import type { Session } from '../session/session.ts';

/**
 * Reads the objects that block changes of type, for the script of a plan. Effects of its manual files are not known
 * yet.
 */
export async function readObstacles(
  session: Session,
  { migrations, steps }: ApplyPlan,
): Promise<Obstacles> {
  const runs = steps.flatMap((step) => (step.kind === 'schemas' ? step.runs : []));
  const found = await Promise.all(runs.map((run) => readObstructed(session, migrations, run)));
  return new Map(runs.map((run, at) => [run, found[at]!]));
}

/** Blocking objects by schema. */
export type Obstacles = ReadonlyMap<SchemaRun, readonly ObstructedFile[]>;

/** Renders a plan as one SQL script, including the history: `psql -X -f <script>`. */
export function renderScript(
  plan: ApplyPlan,
  {
    allowRewrite = false,
    allowOlder = false,
    obstacles = new Map(),
  }: {
    readonly allowRewrite?: boolean | undefined;
    readonly allowOlder?: boolean | undefined;
    readonly obstacles?: Obstacles;
  } = {},
): string {
  const options = { tableLockTimeoutMs: TABLE_LOCK_TIMEOUT_MS, allowRewrite, allowOlder };
  const parts = plan.steps.flatMap((step) => {
    if (step.kind === 'database') return [renderWork(WHOLE_DATABASE, step.files, step.schemas)];
    return step.runs.flatMap((run) => {
      const { schema, files } = run;
      const [first, ...others] = obstacles.get(run) ?? [];
      const { before, together, after } = splitFiles(files, first ? [first, ...others] : []);
      const single = (file: MigrationFile) => renderWork(schema, [file], NO_SCHEMAS);
      return [
        ...before.map(single),
        ...(first
          ? [
              titleOf(schema, together) +
                render(buildRecreation(plan.migrations, run, [first, ...others])),
            ]
          : []),
        ...after.map(single),
      ];
    });
  });
  const { set } = plan.migrations;
  return [
    `-- SQL that cdc manage-migrations apply would run in ${visible(set.name)}.\n\\set ON_ERROR_STOP on\n`,
    ...parts,
  ].join('\n');

  function renderWork(
    schema: string,
    files: readonly MigrationFile[],
    schemas: SchemaWork,
  ): string {
    const [first, ...others] = files.map((file) => ({ file, schema }));
    const title = titleOf(schema, files);
    if (isWithoutTransaction(first!.file)) {
      const record = (statement: string) => `BEGIN;\n${PLAIN_SETTINGS}${statement};\nCOMMIT;\n`;
      const begun = recordFailed(plan.migrations, first!, {
        outcome: 'failed',
        error: INTERRUPTED,
      });
      const done = recordApplied(plan.migrations, first!, {
        outcome: 'applied',
        statements: undefined,
      });
      return `${title}${record(begun)}${expandSchema(first!)}\n;\n${record(done)}`;
    }
    const work: Work = { schemas, files: [first!, ...others] };
    return title + render(work);
  }

  function render(work: Work): string {
    const { begin, body, record, commit } = buildTransaction(plan.migrations, work, options);
    return begin + body + record + commit;
  }
}

function titleOf(schema: string, files: readonly MigrationFile[]): string {
  const location = schema === WHOLE_DATABASE ? '' : ` in ${visible(schema)}`;
  return `-- ${files.map(({ path }) => visible(path)).join(', ')}${location}\n`;
}
