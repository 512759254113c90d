/** Result of one check: an item of `doctor --json`. */
export interface Finding {
  /** `error` means it does not work. `warning` means it may fail or be wrong later. `note` is information. */
  readonly level: 'ok' | 'note' | 'warning' | 'error';
  /** `target sink_asma.directory in prod`. */
  readonly about: string;
  readonly says: string;
  /** What to do, unless the level is ok. */
  readonly solution: string | null;
}

/** Creates a finding without a problem. */
export function ok(about: string, says: string): Finding {
  return { level: 'ok', about, says, solution: null };
}

export function note(about: string, says: string, solution: string): Finding {
  return { level: 'note', about, says, solution };
}

export function warning(about: string, says: string, solution: string): Finding {
  return { level: 'warning', about, says, solution };
}

export function fault(about: string, says: string, solution: string): Finding {
  return { level: 'error', about, says, solution };
}
