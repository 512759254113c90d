/** One mistake in a snapshot: where it stands, what is wrong, what would be right. */
export interface SnapshotProblem {
  readonly table?: string;
  readonly column?: string;
  /** Key of the text: `length`, `primary_key.columns`. */
  readonly key?: string | undefined;
  readonly message: string;
}

/** Thrown with every problem of a snapshot file, never only the first. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  constructor(
    readonly path: string,
    readonly problems: readonly SnapshotProblem[],
    options?: ErrorOptions,
  ) {
    super(problems.map((problem) => formatProblem(path, problem)).join('\n'), options);
  }
}

/** `generated/schemas/AdOpusTest.dbo.yaml tables.Actor.Navn.length: "x" is …`. */
function formatProblem(path: string, { table, column, key, message }: SnapshotProblem): string {
  const keys = [table === undefined ? undefined : `tables.${table}`, column, key];
  const place = keys.filter((part) => part !== undefined).join('.');
  return `${[path, place].filter(Boolean).join(' ')}: ${message}`;
}
