import { visible } from '@cdc-migrations/generated-file';
import {
  buildTransaction,
  expandSchema,
  NO_SCHEMAS,
  TABLE_LOCK_TIMEOUT_MS,
  type SchemaWork,
  type Work,
} from './file-transaction.ts';
import { INTERRUPTED, recordApplied, recordFailed } from './history-sql.ts';
import { PLAIN_SETTINGS } from './plain-settings.ts';
import { isWithoutTransaction, WHOLE_DATABASE, type MigrationFile } from './migrations.ts';
import type { ApplyPlan } from './plan-apply.ts';

/** One SQL script that does what a plan says, history included: `psql -X -f <script>`. */
export function renderScript(
  plan: ApplyPlan,
  { allowRewrite = false, allowOlder = false } = {},
): string {
  const options = { tableLockTimeoutMs: TABLE_LOCK_TIMEOUT_MS, allowRewrite, allowOlder };
  const parts = plan.steps.flatMap((step) => {
    if (step.kind === 'database') return [renderWork(WHOLE_DATABASE, step.files, step.schemas)];
    return step.runs.flatMap(({ schema, files }) =>
      files.map((file) => renderWork(schema, [file], NO_SCHEMAS)),
    );
  });
  const { set } = plan.migrations;
  return [
    `-- What cdc manage-migrations apply would do to ${visible(set.name)}.\n\\set ON_ERROR_STOP on\n`,
    ...parts,
  ].join('\n');

  function renderWork(
    schema: string,
    files: readonly MigrationFile[],
    schemas: SchemaWork,
  ): string {
    const [first, ...others] = files.map((file) => ({ file, schema }));
    const place = schema === WHOLE_DATABASE ? '' : ` in ${visible(schema)}`;
    const title = `-- ${files.map(({ path }) => visible(path)).join(', ')}${place}\n`;
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
    const { begin, body, record, commit } = buildTransaction(plan.migrations, work, options);
    return title + begin + body + record + commit;
  }
}
