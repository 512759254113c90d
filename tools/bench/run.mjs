/**
 * Measures processes in turn and prints a table per bench.
 *
 *     npm run bench -- [--rounds 10] [--write] [start] [generate] [nx] [introspect] [install]
 *
 * Ratios are per pair, against the first line in the same round. `--write` updates the tables in `BENCHMARKS.md`. It
 * needs `npm run build`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BENCHES, COUNTS, TMP } from './benches.mjs';
import { describeMachine, renderSection, writeSection } from './report.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
});
mkdirSync(TMP, { recursive: true });
const known = [...Object.keys(BENCHES), ...Object.keys(COUNTS)];
for (const name of positionals.length > 0 ? positionals : known) {
  const section = measure(name);
  console.log(section);
  if (values.write) writeSection(join(import.meta.dirname, '../../BENCHMARKS.md'), name, section);
}
rmSync(TMP, { recursive: true });

/**
 * @param {string} name
 * @returns {string} a section in Markdown
 */
function measure(name) {
  const [bench, count] = [BENCHES[name], COUNTS[name]];
  if (bench) {
    const section = renderSection(bench.title, bench.run(Number(values.rounds)));
    return `${section}\n${describeMachine()}, ${values.rounds} rounds.`;
  }
  if (count) return `### ${count.title}\n\n${count.count()}`;
  throw new Error(`no bench "${name}"; known: ${known.join(', ')}`);
}
