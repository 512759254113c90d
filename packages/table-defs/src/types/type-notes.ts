/** Fidelity of the PostgreSQL type for the values of a source column. */
export type Exactness = 'exact' | 'widened' | 'lossy' | 'unsupported';

/** A note about columns of one kind. */
export interface TypeNote {
  readonly exactness: Exactness;
  readonly says: string;
  /** Advice for users. */
  readonly advice: string;
}

/** Code of a note. Published codes never change. */
export type TypeNoteCode = keyof typeof TYPE_NOTES;

const NOTHING = 'nothing: every value fits';
const REPLACED = 'an event with such a value is refused: let the sink pipeline replace them';

/** Notes about columns by code, such as why a column is not exact. */
export const TYPE_NOTES = {
  'text-values': {
    exactness: 'lossy',
    says: 'NUL and unpaired surrogates cannot be stored',
    advice: REPLACED,
  },
  'enum-as-text': {
    exactness: 'widened',
    says: 'the enum does not exist in the target',
    advice: NOTHING,
  },
  'domain-as-base': {
    exactness: 'widened',
    says: 'the checks of the domain do not exist in the target',
    advice: NOTHING,
  },
  override: {
    exactness: 'widened',
    says: 'an override replaces the default type',
    advice: NOTHING,
  },
  'override-narrows': {
    exactness: 'lossy',
    says: 'an override replaces a type with values outside of its range',
    advice:
      'an event with such a value goes to the dead letters; widen the override if there are any',
  },
  'override-changes': {
    exactness: 'lossy',
    says: 'an override replaces a type whose values it does not keep exactly',
    advice:
      'such a value is rounded, truncated or spelled differently, or goes to the dead letters; widen the override',
  },
  'second-digits': {
    exactness: 'lossy',
    says: 'fractional digits after the sixth are truncated',
    advice: 'override with text where the seventh digit matters',
  },
  'no-offset': {
    exactness: 'lossy',
    says: 'the same instant without its original offset',
    advice: 'override with text where the offset matters',
  },
  'offset-as-utc': {
    exactness: 'lossy',
    says: 'Debezium sends the time in UTC: the offset is gone',
    advice: 'have the source write it to another column as text where the offset matters',
  },
  'large-text': {
    exactness: 'lossy',
    says: 'NUL and unpaired surrogates cannot be stored; 1 GB at most',
    advice: REPLACED,
  },
  'large-binary': {
    exactness: 'lossy',
    says: '1 GB at most',
    advice: 'an event with a larger value is refused: keep such values outside of the tables',
  },
  'xml-text': {
    exactness: 'lossy',
    says: 'has no equality; insignificant white space and declarations may differ; 1 GB at most',
    advice: 'override with text where every character matters',
  },
  'json-values': {
    exactness: 'lossy',
    says: 'NUL and unpaired surrogates (\\u0000, \\ud800) cannot be stored; order and repeats of keys are not kept',
    advice: 'override with text where there are such values, or where every character matters',
  },
  'interval-as-number': {
    exactness: 'lossy',
    says: 'Debezium sends microseconds, with months and years of average length',
    advice: 'set interval.handling.mode of Debezium to string',
  },
  'money-text': {
    exactness: 'lossy',
    says: 'its text depends on the locale of the source',
    advice:
      'lc_monetary of the source has to have 2 digits after the point, as money.fraction.digits of Debezium',
  },
  'bits-as-number': {
    exactness: 'lossy',
    says: 'Debezium sends the bits as a number: those before the first 1 are lost',
    advice: 'give the column of the source a fixed length, bit(n), or the type text',
  },
  'not-carried': {
    exactness: 'unsupported',
    says: 'the change feed does not carry this type: the column stays NULL',
    advice:
      'put the column into ignore_columns, or have the source write it to another one as text',
  },
  'changes-always': {
    exactness: 'exact',
    says: 'changes at every update: consider ignore_columns',
    advice: 'put the column into ignore_columns unless it is needed',
  },
} as const satisfies Readonly<Record<string, TypeNote>>;

/** Notes of columns whose different values can become equal, so that they cannot identify rows. */
export const FOLDING: ReadonlySet<TypeNoteCode | undefined> = new Set<TypeNoteCode>([
  'second-digits',
  'offset-as-utc',
  'money-text',
  'bits-as-number',
  'override-changes',
]);

/** Notes of columns whose values are kept exactly by an override with `text`. */
export const KEPT_AS_TEXT: ReadonlySet<TypeNoteCode | undefined> = new Set<TypeNoteCode>([
  'second-digits',
  'no-offset',
  'xml-text',
  'json-values',
]);
