/** Settings of Debezium's connectors that decide how a value looks, with their values. */
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

/** JSON text as it is in the event, by the value of the setting; `any`: none changes it. */
export type Sent = Readonly<Record<string, string>>;

/** What a connector sends for a value of a nullable column. */
export interface SentValue {
  /** As a column of the source is declared. */
  readonly type: string;
  /** SQL for the value in PostgreSQL; text for SQL Server, of which binary is base64. */
  readonly value: string;
  /** The setting that its type obeys. */
  readonly setting?: Setting;
  /** Empty: the connector leaves the column out. */
  readonly sends: Sent;
  /** Modes in which the initial snapshot sends something else. */
  readonly snapshot?: Sent;
  /** Modes in which a NOT NULL column sends something else; `fails`: the connector stops. */
  readonly notNull?: Sent;
}

/** A row of a table of values; of `more` only the modes that differ. */
export function sent(
  type: string,
  value: string,
  sends: Sent,
  more: { readonly snapshot?: Sent; readonly notNull?: Sent } = {},
): SentValue {
  const setting = settingOf(type);
  return { type, value, ...(setting && { setting }), sends, ...more };
}

/** The modes of `other` that send something else. */
export function differingModes(sends: Sent, other: Sent): Sent | undefined {
  const differing = Object.entries(other).filter(([mode, text]) => sends[mode] !== text);
  return differing.length === 0 ? undefined : Object.fromEntries(differing);
}

/** The setting that a type obeys. */
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

/** One value for all modes is `any`. */
export function foldSent(sent: Sent): Sent {
  const [first, ...others] = Object.values(sent);
  return first !== undefined && others.every((text) => text === first) ? { any: first } : sent;
}
