import { letterFault } from '@cdc-migrations/generated-file';
import type { Keys, Report } from '@cdc-migrations/shape';

/** Reports keys, wherever they are in a YAML file, with letters that deceive who reads them. */
export function checkLetters(root: unknown, report: Report): void {
  const seen = new Set<unknown>(); // Aliases lead to the same value again, of which there can be a great many.
  const check = (value: unknown, keys: Keys): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    for (const [key, content] of Object.entries(value)) {
      const fault = letterFault(key);
      if (fault !== undefined) report([...keys, key], fault);
      check(content, [...keys, Array.isArray(value) ? Number(key) : key]);
    }
  };
  check(root, []);
}
