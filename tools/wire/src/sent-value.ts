/** Settings of Debezium's connectors that determine the form of values, with their modes. */
export const SETTINGS = {
  'time.precision.mode': [
    ...(['adaptive', 'adaptive_time_microseconds', 'microseconds', 'nanoseconds'] as const),
    ...(['connect', 'isostring'] as const),
  ],
  'decimal.handling.mode': ['precise', 'string', 'double'],
  'binary.handling.mode': ['bytes', 'base64', 'base64-url-safe', 'hex'],
  'interval.handling.mode': ['numeric', 'string'],
} as const;

export type Setting = keyof typeof SETTINGS;

/** JSON text in the event, by mode of the setting. `any` means that no setting changes it. */
export type Sent = Readonly<Record<string, string>>;

/** Event values of a connector for a value of a nullable column. */
export interface SentValue {
  /** Declaration of the source column. */
  readonly type: string;
  /** SQL of the value for PostgreSQL. Text for SQL Server, with base64 for binary values. */
  readonly value: string;
  /** The setting that affects its type. */
  readonly setting?: Setting;
  /** Empty if the connector omits the column. */
  readonly sends: Sent;
  /** Modes in which the initial snapshot sends another value. */
  readonly snapshot?: Sent;
  /** Modes in which a NOT NULL column sends another value. `fails` means that the connector stops. */
  readonly notNull?: Sent;
}

/** Builds a row of a table of values. `more` needs only the differing modes. */
export function sent(
  type: string,
  value: string,
  sends: Sent,
  more: { readonly snapshot?: Sent; readonly notNull?: Sent } = {},
): SentValue {
  const setting = settingOf(type);
  return { type, value, ...(setting && { setting }), sends, ...more };
}

/** Returns the modes of `other` that send another value. */
export function differingModes(sends: Sent, other: Sent): Sent | undefined {
  const differing = Object.entries(other).filter(([mode, text]) => sends[mode] !== text);
  return differing.length === 0 ? undefined : Object.fromEntries(differing);
}

/** Returns the setting that affects a type. */
export function settingOf(type: string): Setting | undefined {
  return SETTING_OF_TYPE[type.replace(/\(.*?\)/, '').replace('[]', '')];
}

const SETTING_OF_TYPE: Readonly<Record<string, Setting>> = {
  ...of('time.precision.mode', ['date', 'time', 'timetz', 'timestamp', 'timestamptz']),
  ...of('time.precision.mode', ['datetime', 'smalldatetime', 'datetime2', 'datetimeoffset']),
  ...of('decimal.handling.mode', ['numeric', 'decimal', 'money', 'smallmoney']),
  ...of('binary.handling.mode', ['bytea', 'binary', 'varbinary']),
  ...of('interval.handling.mode', ['interval']),
};

function of(setting: Setting, types: readonly string[]): Record<string, Setting> {
  return Object.fromEntries(types.map((type) => [type, setting]));
}

/** Replaces equal values of all modes with `any`. */
export function foldSent(sent: Sent): Sent {
  const [first, ...others] = Object.values(sent);
  return first !== undefined && others.every((text) => text === first) ? { any: first } : sent;
}
