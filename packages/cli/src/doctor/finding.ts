/** Result of one check: an item of what `doctor --json` prints. */
export interface Finding {
  /** `error`: it does not work; `warning`: it may fail or be wrong later; `note`: worth knowing. */
  readonly level: 'ok' | 'note' | 'warning' | 'error';
  /** `target sink_asma.directory in prod`. */
  readonly about: string;
  readonly says: string;
  /** What to do, unless it is ok. */
  readonly wayOut: string | null;
}

/** Creates a finding without a problem. */
export function ok(about: string, says: string): Finding {
  return { level: 'ok', about, says, wayOut: null };
}

export function note(about: string, says: string, wayOut: string): Finding {
  return { level: 'note', about, says, wayOut };
}

export function warning(about: string, says: string, wayOut: string): Finding {
  return { level: 'warning', about, says, wayOut };
}

export function fault(about: string, says: string, wayOut: string): Finding {
  return { level: 'error', about, says, wayOut };
}
