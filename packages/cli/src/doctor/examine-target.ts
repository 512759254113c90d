import { MissingVariablesError } from '@cdc-migrations/session';
import {
  buildStatus,
  diagnoseTarget,
  isUpToDate,
  planApply,
  readConcerns,
  readTarget,
  schemaIsGone,
  TargetError,
  type ServerSetting,
  type TargetDiagnosis,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { CommandError } from '../exit-code.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget } from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';
import { fault, note, ok, warning, type Finding } from './finding.ts';

const OLDEST = 150000;
/** A larger clock difference makes replication lag wrong by as much. */
const CLOCK_MS = 2000;
/** PostgreSQL itself warns at 40 million. */
const FEW_TRANSACTIONS = 200_000_000;

/** Effect of a setting that is off. */
const OFF: Readonly<Record<ServerSetting, string>> = {
  fsync: 'a crash of the machine can damage the whole cluster',
  full_page_writes: 'a crash of the machine can damage pages of tables',
  autovacuum: 'staging tables and final tables grow with each merge',
  track_counts: 'autovacuum does not know which tables have changed',
};

/** Examines a target. An unreachable target is an error. */
export async function examineTarget(target: CommandTarget): Promise<readonly Finding[]> {
  const about = `target ${target.label}`;
  const findings: Finding[] = [];
  try {
    const diagnosis = await diagnoseTarget(target.address(), target.migrations.role);
    findings.push(...ofServer(about, diagnosis, target));
    // Without the role nothing can be planned.
    if (diagnosis.hasRole) findings.push(...(await ofContent(about, target)));
  } catch (error) {
    findings.push(refusal(about, error, target));
  }
  return findings;
}

function refusal(about: string, error: unknown, { label, place }: CommandTarget): Finding {
  if (error instanceof MissingVariablesError) {
    const solution = 'set them in the environment of this command';
    return fault(about, `${error.names.join(', ')} not set`, solution);
  }
  const located = locateTargetError(error, label, place);
  if (!(located instanceof CommandError)) throw located;
  const says = located.message.replace(`${label}: `, '');
  const solution =
    error instanceof TargetError && error.kind === 'connection'
      ? 'start the server, or correct its host and port in sink-groups.yaml or its variables'
      : 'fix it on the server, or in sink-groups.yaml';
  return fault(about, says, solution);
}

function ofServer(
  about: string,
  diagnosis: TargetDiagnosis,
  { migrations: { role }, place }: CommandTarget,
): readonly Finding[] {
  const { version, versionNumber, isStandby, encoding, user, canCreate, hasRole } = diagnosis;
  const findings = [
    ok(about, `PostgreSQL ${version}, user ${user}`),
    ...(versionNumber < OLDEST
      ? [fault(about, `PostgreSQL ${version} is too old`, 'expected 15 or later: upgrade it')]
      : []),
    ...(isStandby ? [fault(about, 'a standby, which is read-only', 'connect to its primary')] : []),
    ...(encoding === 'UTF8'
      ? []
      : [
          fault(
            about,
            `encoding ${encoding}, which is missing characters of sources`,
            `create the database again, with TEMPLATE template0 ENCODING 'UTF8'`,
          ),
        ]),
    ...(hasRole
      ? []
      : [
          fault(
            about,
            `the role "${role}", which files grant privileges to, does not exist`,
            'create it, or set CDC_DB_USER to the role of the sink pipeline and generate',
          ),
        ]),
    ...(canCreate
      ? []
      : [
          warning(
            about,
            `${user} may not create schemas`,
            `GRANT CREATE ON DATABASE to ${user}, or have somebody else apply`,
          ),
        ]),
  ];
  // Skips the settings of the embedded PostgreSQL, which has no place. They are ours, and its data can be created
  // again.
  const settings = place === undefined ? [] : ofSettings(about, diagnosis);
  return [...findings, ...settings, ...ofSurroundings(about, diagnosis)];
}

function ofSettings(
  about: string,
  { settings, transactionsLeft }: TargetDiagnosis,
): readonly Finding[] {
  const off = (Object.keys(OFF) as ServerSetting[]).filter((name) => settings[name] === 'off');
  return [
    ...off.map((name) => warning(about, `${name} = off: ${OFF[name]}`, `set ${name} = on`)),
    ...(transactionsLeft < FEW_TRANSACTIONS
      ? [
          warning(
            about,
            `${transactionsLeft} transactions until the server refuses writes`,
            'look for long transactions, prepared transactions and inactive replication slots; VACUUM the database',
          ),
        ]
      : []),
  ];
}

function ofSurroundings(
  about: string,
  { clockAheadMs, isPooled, pgCron }: TargetDiagnosis,
): readonly Finding[] {
  const seconds = (Math.abs(clockAheadMs) / 1000).toFixed(1);
  const side = clockAheadMs > 0 ? 'ahead of' : 'behind';
  return [
    ...(Math.abs(clockAheadMs) > CLOCK_MS
      ? [
          warning(
            about,
            `its clock is ${seconds} s ${side} that of this machine`,
            'synchronize both clocks (NTP), because replication lag is wrong by the difference',
          ),
        ]
      : []),
    ...(isPooled ? [ok(about, 'a pooler in transaction mode, which is supported')] : []),
    ...(pgCron === 'installed'
      ? []
      : [
          note(
            about,
            pgCron === 'available' ? 'pg_cron is available, but not created' : 'no pg_cron',
            'run cdc manage-migrations merge --watch, or CALL cdc_management.run_pending_merges() from your own scheduler',
          ),
        ]),
  ];
}

/** Checks that all files are applied and that events reach the final tables. */
async function ofContent(about: string, target: CommandTarget): Promise<readonly Finding[]> {
  const { migrations, tenants, knownTenants } = target;
  const env = target.label.replace(/^.* in /, '');
  return withSession(target, 'cdc doctor', async (session) => {
    const [state, concerns] = await Promise.all([
      readTarget(session, migrations),
      readConcerns(session),
    ]);
    if (!state.hasHistory) {
      return [note(about, 'nothing is applied yet', `cdc manage-migrations apply --env ${env}`)];
    }
    const scope = { tenants, knownTenants };
    const plan = planApply(migrations, state, scope);
    const isDone = isUpToDate(buildStatus(migrations, state, scope));
    const ofFiles = (): readonly Finding[] => {
      if (plan.steps.length > 0)
        return [note(about, 'files are to be applied', `cdc manage-migrations apply --env ${env}`)];
      if (isDone) return [ok(about, 'all files are applied')];
      if (plan.gone.length > 0) return [];
      const command = `cdc manage-migrations status --env ${env}`;
      return [note(about, 'not all files are applied', command)];
    };
    const { columns, backfill, ...others } = concerns;
    const troubles = Object.values(others).reduce((sum, { length }) => sum + length, 0);
    return [
      ...plan.gone.map((schema) => {
        const { message, hint } = schemaIsGone(schema);
        return fault(about, `${schema}: ${message}`, hint!);
      }),
      ...ofFiles(),
      troubles === 0
        ? ok(about, 'no failing merges, locked tables or dead letters')
        : warning(
            about,
            `${countOf(troubles, 'trouble')} with merges or events`,
            `cdc manage-migrations status --env ${env}`,
          ),
      ...(columns.length + backfill.length > 0
        ? [
            note(
              about,
              `${countOf(columns.length + backfill.length, 'column')} to look at`,
              `cdc manage-migrations status --env ${env}`,
            ),
          ]
        : []),
    ];
  });
}
