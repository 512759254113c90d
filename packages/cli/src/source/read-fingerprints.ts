import { parseSnapshot, snapshotPath, type Catalog } from '@cdc-migrations/catalog';
import { stateOf } from '@cdc-migrations/generated-file';
import type { SourcePlan } from '@cdc-migrations/introspect';
import { readIfThere } from '../repo/repo-files.ts';

/** Fingerprints in the snapshots of a database by schema; none where a snapshot has to be written anyway. */
export function readFingerprints(root: string, plan: SourcePlan): ReadonlyMap<string, string> {
  const known = plan.selections.flatMap(({ database, schema, pattern, tables }) => {
    const catalog = readIntact(root, snapshotPath({ database, schema }));
    const isOfToday = catalog?.pattern === pattern && catalog.tables.length === tables.length;
    const fingerprint = isOfToday ? catalog.fingerprint : undefined;
    return fingerprint === undefined ? [] : [[schema, fingerprint] as const];
  });
  return new Map(known);
}

function readIntact(root: string, path: string): Catalog | undefined {
  const text = readIfThere(root, path);
  if (text === undefined) return undefined;
  try {
    return stateOf(path, text) === 'intact' ? parseSnapshot(text, path) : undefined;
  } catch {
    return undefined; // Of another version: it is read and written anew.
  }
}
