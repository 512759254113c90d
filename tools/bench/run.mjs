/**
 * Measures whole processes in turn and prints a table of each bench.
 *
 *     npm run bench -- [--rounds 10] [--write] [start] [generate] [nx]
 *
 * Ratios are pair by pair, against the first line of the same rounds. `--write` puts the tables into
 * `BENCHMARKS.md`. Needs `npm run build`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BENCHES, TMP } from './benches.mjs';
import { describeMachine, renderSection, writeSection } from './report.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
});
mkdirSync(TMP, { recursive: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
  const bench = BENCHES[name];
  if (!bench) throw new Error(`no bench "${name}"; there are ${Object.keys(BENCHES).join(', ')}`);
  const section = renderSection(bench.title, bench.run(Number(values.rounds)));
  console.log(section);
  if (values.write) {
    const file = join(import.meta.dirname, '../../BENCHMARKS.md');
    writeSection(file, name, `${section}\n${describeMachine()}, ${values.rounds} rounds.`);
  }
}
rmSync(TMP, { recursive: true });
