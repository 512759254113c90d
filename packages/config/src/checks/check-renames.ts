import type { Draft, Keys, Report } from '@cdc-migrations/shape';
import type { SinkTableShape } from '../schemas/service.ts';

type Renames = Pick<Draft<SinkTableShape>, 'renames' | 'manual_migration_hints'>;

/** Old and new column names of a table: those of `renames`, then those of `manual_migration_hints`. */
export function allRenames({
  renames,
  manual_migration_hints: hints,
}: Renames): readonly (readonly [string, string])[] {
  return [
    ...Object.entries(renames ?? {}),
    ...(hints?.renames ?? []).map((rename) => [rename?.from, rename?.to] as const),
  ].flatMap(([from, to]) => (from === undefined || to === undefined ? [] : [[from, to] as const]));
}

/** Reports renames that do not give each column one history: to itself, in a circle, from or to two columns. */
export function checkRenames(table: Draft<SinkTableShape>, keys: Keys, report: Report): void {
  const at = [...keys, table.renames ? 'renames' : 'manual_migration_hints'];
  const renames = allRenames(table);
  if (table.target_exists === true && renames.length > 0) {
    report(
      at,
      'columns of a table that exists are not renamed; expected target_exists: false, or no renames',
    );
    return;
  }
  const next = new Map<string, string>();
  const before = new Map<string, string>();
  for (const [from, to] of renames) {
    const other = next.get(from) ?? to;
    const twin = before.get(to) ?? from;
    next.set(from, to);
    before.set(to, from);
    if (from === to) report(at, `"${from}" would become itself; expected a new name, or no rename`);
    if (other !== to)
      report(at, `"${from}" would become both "${other}" and "${to}"; leave one out`);
    if (twin !== from) {
      const message =
        `"${twin}" and "${from}" would both become "${to}"; ` +
        `a column that was renamed twice is { ${twin}: ${from}, ${from}: ${to} }`;
      report(at, message);
    }
  }
  reportCircle(next, at, report);
}

function reportCircle(next: ReadonlyMap<string, string>, at: Keys, report: Report): void {
  for (const start of next.keys()) {
    const circle = [start];
    for (let name = next.get(start); name !== undefined; name = next.get(name)) {
      if (circle.includes(name)) {
        if (name !== start || circle.length === 1) break;
        report(at, `${circle.map((one) => `"${one}"`).join(', ')} become one another in a circle`);
        return;
      }
      circle.push(name);
    }
  }
}
