import { posix } from 'node:path';
import { renderExampleSnapshot } from './service-files.ts';
import {
  ENVIRONMENTS,
  serverVariables,
  shellWord,
  sinkRole,
  type ScaffoldOptions,
} from './scaffold-options.ts';

/** What to do with a new repo, a sentence for each step. */
export function nextSteps(options: ScaffoldOptions): readonly string[] {
  const { name, service, folder } = options;
  const at = (path: string) => posix.join(folder, path);
  const run = commandOf(options);
  const variables = Object.values(serverVariables(options, 'source', ENVIRONMENTS[0]));
  return [
    `${run('migrations', 'generate')} makes the SQL of the example table, ` +
      `and ${run('apply', 'apply --env embedded')} applies it to a PostgreSQL that comes along; set CDC_DB_USER=${sinkRole(options)} before, the role of the sink pipeline, as CI does`,
    `write your databases into ${at('source-groups.yaml')} and ${at('sink-groups.yaml')}, ` +
      `your tables into ${at(`services/${service}.yaml`)}`,
    `set ${variables.join(', ')}, then ${run('introspect', 'schema-docs')} reads the structure of your tables; ` +
      `${at(renderExampleSnapshot(options).path)} is an example: delete it when your database has another name`,
    `${run('migrations', 'generate')} again, and commit all of ${folder === '.' ? name : folder}`,
  ];
}

function commandOf({ project, nx, folder }: ScaffoldOptions) {
  const root = folder === '.' ? '' : ` --root ${shellWord(folder)}`;
  return (target: string, command: string) =>
    nx
      ? `npx nx run ${shellWord(`${project}:${target}`)}`
      : `npx cdc manage-migrations ${command}${root}`;
}
