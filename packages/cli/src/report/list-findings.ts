import type { Concerns, FileState } from '@cdc-migrations/tracker';
import { shellWord } from '../init/scaffold-options.ts';
import { renderConcerns, renderLocks } from '../status/render-concerns.ts';
import { nameSchema } from '../target/name-schema.ts';
import type { AnsweredTarget } from './report-document.ts';
import type { PageFinding } from './page-data.ts';

type Level = PageFinding['level'];

/** Something to look at in one schema. Findings that have kind and subject in common are shown together. */
export interface Finding {
  readonly kind: string;
  readonly level: Level;
  /** Table or file. */
  readonly about: string;
  /** Null if it is about no schema. */
  readonly schema: string | null;
  readonly text: string;
  /** Number of events; 1 for what is no event. */
  readonly count: number;
}

/** Lists what users should look at in a target, worst first. */
export function listFindings(target: AnsweredTarget): readonly Finding[] {
  const findings = [
    ...listProblems(target),
    ...listFiles(target),
    ...listConcerns(target),
    ...listRest(target),
    ...listDrift(target),
  ];
  return LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level));
}

const LEVELS: readonly Level[] = ['error', 'warning', 'note'];

function listProblems({ problems }: AnsweredTarget): readonly Finding[] {
  return problems.map(({ path, problem, message }) => ({
    ...{ kind: `${problem} file`, level: 'error', about: path, schema: null },
    ...{ text: message, count: 1 },
  }));
}

/** Level of a file that is not applied, and what to do about it. */
const OPEN_FILES: Readonly<Partial<Record<FileState, readonly [level: Level, advice: string]>>> = {
  failed: ['error', 'fix the cause, then run apply'],
  unsafe: ['error', 'apply refuses the change'],
  edited: ['error', 'an applied file was changed'],
  missing: ['warning', 'was applied, and is no longer in the manifest'],
  outdated: ['warning', 'run apply'],
  pending: ['warning', 'run apply'],
};

function listFiles({ schemas }: AnsweredTarget): readonly Finding[] {
  return schemas.flatMap(({ schema, files }) =>
    files.flatMap(({ path, state, error }) => {
      const open = OPEN_FILES[state];
      if (!open) return [];
      const [level, advice] = open;
      return [
        { kind: `${state} file`, level, about: path, schema, text: error ?? advice, count: 1 },
      ];
    }),
  );
}

type ConcernKind = keyof Concerns;

const NO_CONCERNS: Concerns = {
  ...{ mergeProblems: [], lockedStaging: [], heldMerges: [], failingMerges: [], lostStaging: [] },
  ...{ deadLetters: [], refusedEvents: [], columns: [], backfill: [] },
};

const CONCERNS: { readonly [Kind in ConcernKind]: readonly [kind: string, level: Level] } = {
  failingMerges: ['failing merge', 'error'],
  mergeProblems: ['blocked merge', 'error'],
  lostStaging: ['possible loss', 'error'],
  deadLetters: ['dead letters', 'error'],
  refusedEvents: ['refused events', 'error'],
  heldMerges: ['held merge', 'warning'],
  lockedStaging: ['locked staging table', 'warning'],
  backfill: ['backfill needed', 'warning'],
  columns: ['column', 'note'],
};

/** The lines of `status` about merges and events, one by one. */
function listConcerns(target: AnsweredTarget): readonly Finding[] {
  return (Object.keys(CONCERNS) as ConcernKind[]).flatMap((name) =>
    target[name].map((concern) => {
      const [kind, level] = CONCERNS[name];
      const { schema, table } = concern;
      const about = 'column' in concern ? `${table}.${concern.column}` : (table ?? '?');
      const [line = ''] = renderConcerns({ ...NO_CONCERNS, [name]: [concern] });
      return {
        ...{ kind, level, about, schema, text: withoutLocation(line, `${schema ?? '?'}.${about}`) },
        count: 'count' in concern ? concern.count : 1,
      };
    }),
  );
}

/** A message without the schema or target that it begins with. */
export function withoutLocation(line: string, location: string): string {
  return line.startsWith(`${location}: `) ? line.slice(location.length + 2) : line;
}

function listRest({ leftovers, locks }: AnsweredTarget): readonly Finding[] {
  return [
    ...leftovers.map(({ schema, table, message }) => ({
      ...{ kind: 'leftover', level: 'warning' as const, about: table ?? schema },
      ...{ schema, text: message, count: 1 },
    })),
    ...locks.map((lock) => ({
      ...{ kind: 'running apply', level: 'note' as const, schema: lock.schema ?? null },
      about: lock.schema === undefined ? 'all schemas' : nameSchema(lock.schema),
      ...{ text: renderLocks([lock])[0]!, count: 1 },
    })),
  ];
}

function listDrift({ differences = [] }: AnsweredTarget): readonly Finding[] {
  return differences.map(({ kind, schema, name, message, repair }) => ({
    ...{ kind: `drift: ${kind}`, level: 'warning', about: name === '' ? schema : name, schema },
    text: repair === undefined ? message : `${message}; repair: ${forAnySchema(repair, schema)}`,
    count: 1,
  }));
}

/** A repair in which no schema is named, so that all schemas with the same difference have the same one. */
function forAnySchema(repair: string, schema: string): string {
  return repair.replaceAll(` --schema ${shellWord(schema)}`, ' --schema <schema>');
}
