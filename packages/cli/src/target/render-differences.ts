import type { Difference, Repair } from '@cdc-migrations/tracker';
import { shellWord } from '../init/scaffold-options.ts';
import { joinAlike } from './join-alike.ts';

/** Renders a line for each difference: `missing  osloprod.Actor: column "Navn"`, with its repair in an environment. */
export function renderDifferences(
  differences: readonly Difference[],
  env?: string,
): readonly string[] {
  return differences.map((difference) => {
    const { kind, schema, name, message, origin } = difference;
    const location = name === '' ? schema : `${schema}.${name}`;
    const from = origin === undefined || message.includes(origin) ? '' : ` (${origin})`;
    const repair = env === undefined ? undefined : renderRepair(difference, env);
    return `${kind}  ${location}: ${message}${from}${repair === undefined ? '' : `; repair: ${repair}`}`;
  });
}

/** Renders a line for each kind of difference, and the schemas that have it. */
export function summarizeDifferences(
  differences: readonly Difference[],
  env?: string,
): readonly string[] {
  const lines = renderDifferences(differences, env);
  return joinAlike(differences.map(({ schema }, at) => ({ schema, lines: [lines[at]!] })));
}

/** Returns the repair: a shell command, or SQL. */
export function renderRepair({ schema, repair }: Difference, env: string): string | undefined {
  return repair && RENDER[repair.kind](repair as never, { schema, env });
}

interface Location {
  readonly schema: string;
  readonly env: string;
}

type Of<Kind extends Repair['kind']> = Extract<Repair, { readonly kind: Kind }>;

const RENDER: {
  readonly [Kind in Repair['kind']]: (repair: Of<Kind>, location: Location) => string;
} = {
  apply: (_, location) => applyCommand(location),
  'apply again': ({ first }, location) => {
    const command = `${applyCommand(location)} --again`;
    return first === undefined ? command : `${first}; then ${command}`;
  },
  sql: ({ statement, warning }) => (warning === undefined ? statement : `${warning}: ${statement}`),
  advice: ({ advice }) => advice,
  command: ({ command, table }, { env }) =>
    `cdc manage-migrations ${command} --env ${shellWord(env)} --table ${shellWord(table)}`,
};

function applyCommand({ schema, env }: Location): string {
  // The files of the whole database run with those of any schema.
  const only = schema === MANAGEMENT ? '' : ` --schema ${shellWord(schema)}`;
  return `cdc manage-migrations apply --env ${shellWord(env)}${only}`;
}

const MANAGEMENT = 'cdc_management';
