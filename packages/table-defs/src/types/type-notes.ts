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
const REPLACED =
  'an event with such a value is refused; have the sink pipeline replace such values';

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
    says: 'the override does not allow all values of the source type',
    advice:
      'an event with such a value becomes a dead letter; if the source has such values, widen the override',
  },
  'override-changes': {
    exactness: 'lossy',
    says: 'the override does not preserve all values of the source type exactly',
    advice:
      'such a value is rounded, truncated or formatted differently, or its event becomes a dead letter; widen the override',
  },
  'second-digits': {
    exactness: 'lossy',
    says: 'fractional digits after the sixth are truncated',
    advice: 'override the type with text if the seventh digit matters',
  },
  'no-offset': {
    exactness: 'lossy',
    says: 'the same instant without its original offset',
    advice: 'override the type with text if the offset matters',
  },
  'offset-as-utc': {
    exactness: 'lossy',
    says: 'Debezium sends the time in UTC, without its original offset',
    advice: 'if the offset matters, have the source write the time to a text column',
  },
  'large-text': {
    exactness: 'lossy',
    says: 'NUL and unpaired surrogates cannot be stored; 1 GB at most',
    advice: REPLACED,
  },
  'large-binary': {
    exactness: 'lossy',
    says: '1 GB at most',
    advice: 'an event with a larger value is refused; store such values outside of the tables',
  },
  'xml-text': {
    exactness: 'lossy',
    says: 'values cannot be compared; insignificant white space and declarations may differ; 1 GB at most',
    advice: 'override the type with text if every character matters',
  },
  'json-values': {
    exactness: 'lossy',
    says: 'NUL and unpaired surrogates (\\u0000, \\ud800) cannot be stored; key order and duplicate keys are not preserved',
    advice:
      'override the type with text if the source has such values, or if every character matters',
  },
  'interval-as-number': {
    exactness: 'lossy',
    says: 'Debezium sends microseconds, and uses average lengths of months and years',
    advice: 'set interval.handling.mode to string in the Debezium connector',
  },
  'money-text': {
    exactness: 'lossy',
    says: 'its format depends on the locale of the source',
    advice:
      'in the source, lc_monetary must be a locale with 2 decimal places; in Debezium, money.fraction.digits must be 2',
  },
  'bits-as-number': {
    exactness: 'lossy',
    says: 'Debezium sends the bits as a number, without the zeros before the first 1',
    advice: 'change the type of the source column to bit(n) or text',
  },
  'not-carried': {
    exactness: 'unsupported',
    says: 'CDC does not replicate this type, so the column stays NULL',
    advice: 'add the column to ignore_columns, or have the source write its value to a text column',
  },
  'changes-always': {
    exactness: 'exact',
    says: 'changes with every update; consider ignore_columns',
    advice: 'add the column to ignore_columns unless you need it',
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
