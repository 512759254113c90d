import { ConfigError, formatProblem, readConfig, type Config } from '@cdc-migrations/config';
import { FileError } from '@cdc-migrations/shape';
import { countOf } from '../count-of.ts';
import { CommandError } from '../exit-code.ts';
import { isInTheWay, planFiles } from '../repo/plan-files.ts';
import { readRole, unsetRoles } from '../repo/read-role.ts';
import { listRoleChanges } from '../generate/generate.ts';
import { buildAll } from '../generate/stages.ts';
import { locateError } from '../repo/locate-error.ts';
import { fault, note, ok, warning, type Finding } from './finding.ts';

const CONFIGURATION = 'configuration';
const FILES = 'generated files';

/** Configuration and its findings. Nothing else can be examined without a configuration. */
export interface RepoExamination {
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Reads the configuration and compares the generated files with it. */
export function examineRepo(root: string): RepoExamination {
  let config: Config;
  try {
    config = readConfig(root);
  } catch (error) {
    return { config: undefined, findings: refusals(CONFIGURATION, error, root) };
  }
  const { services, sinkGroups, sourceGroups } = config;
  const counts = [
    countOf(services.length, 'service'),
    countOf(sourceGroups.length, 'source group'),
    countOf(sinkGroups.length, 'sink group'),
  ];
  return { config, findings: [ok(CONFIGURATION, counts.join(', ')), ...examineFiles(root)] };
}

function examineFiles(root: string): readonly Finding[] {
  try {
    const output = buildAll(root, () => readRole(process.env));
    const steps = planFiles(root, output, {});
    const edited = steps.filter(isInTheWay);
    const stale = steps.filter(({ action }) => action !== 'keep' && action !== 'extra');
    const roles = unsetRoles(listRoleChanges(root, steps), process.env);
    if (roles.length > 0)
      return roles.map(({ problem, solution }) => fault(FILES, problem, solution));
    const warnings = output.warnings.map(formatProblem);
    return [
      ...edited.map(({ path }) =>
        fault(
          FILES,
          `${path} was edited`,
          'cdc manage-migrations generate --force generates it again',
        ),
      ),
      ...(stale.length === 0
        ? [ok(FILES, `${countOf(steps.length, 'file')}, all up to date`)]
        : edited.length === 0
          ? [
              warning(
                FILES,
                `${countOf(stale.length, 'file')} to write, ${stale[0]!.path} first`,
                'cdc manage-migrations generate',
              ),
            ]
          : []),
      ...warnings.map((says) => note(FILES, says, 'nothing, if it is intended')),
    ];
  } catch (error) {
    return refusals(FILES, error, root);
  }
}

/** Returns a finding for each line of an error in the user's files. Throws other errors. */
function refusals(about: string, error: unknown, root: string): readonly Finding[] {
  const isOfUser =
    error instanceof ConfigError || error instanceof CommandError || error instanceof FileError;
  if (!isOfUser) throw error;
  const { message } = locateError(error, root) as Error;
  return message.split('\n').map((line) => fault(about, line, 'correct the file'));
}
