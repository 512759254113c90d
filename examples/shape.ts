/** Reads a hand-written file and reports all of its mistakes at once. */
import {
  formatProblem,
  listOf,
  locateProblems,
  oneOf,
  parseHandWritten,
  parseShape,
  reportIn,
  text,
  type Problem,
} from '@cdc-migrations/shape';
import { optional, record, strictObject, string } from 'valibot';

const owners = record(
  string(),
  strictObject({
    team: text('the name of a team'),
    tables: listOf('a table'),
    on_call: optional(oneOf(['day', 'night'])),
  }),
  'expected a mapping: `<system>: { team, tables }`',
);
const written = `
crm: { team: core, tables: [Actor, Avtale] }
hr:
  taem: people
  tables: Ansatt
  on_call: always
`;

const problems: Problem[] = [];
const parsed = parseHandWritten('owners.yaml', written);
if ('value' in parsed) {
  const { draft } = parseShape(owners, parsed.value, reportIn('owners.yaml', problems));
  console.log(draft?.crm?.tables?.join(', '));
}
for (const problem of locateProblems(problems, () => written)) console.log(formatProblem(problem));
