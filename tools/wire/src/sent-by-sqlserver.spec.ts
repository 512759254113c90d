import { startAnswering } from './program.ts';
import { BUILT_WITHIN_MS, describeWire, openPrograms } from './programs.ts';
import { SENT_BY_SQL_SERVER } from './sent-by-sqlserver.ts';
import { differingModes, foldSent, type Sent, type SentValue, SETTINGS } from './sent-value.ts';

/** Scale of a type that is declared without one. */
const SCALES: Readonly<Record<string, number>> = {
  ...{ money: 4, smallmoney: 4, datetime: 3, smalldatetime: 0, bit: 0 },
};

describeWire("Debezium's connector for SQL Server", () => {
  it(
    'sends the values that SENT_BY_SQL_SERVER lists',
    async () => {
      const { classPath } = await openPrograms();
      const program = startAnswering<object, { sends?: string; fails?: string }>({
        command: 'java',
        args: ['-Xmx64m', '-XX:+UseSerialGC', ...QUIET, '-cp', classPath, 'SqlServerValues'],
      });
      const send = async (row: SentValue, isOptional: boolean): Promise<Sent> => {
        const modes: Record<string, string> = {};
        for (const mode of row.setting ? SETTINGS[row.setting] : ['any']) {
          const request = { ...describeColumn(row), optional: isOptional };
          const { sends, fails } = await program.ask(
            row.setting ? { ...request, [row.setting]: mode } : request,
          );
          modes[mode] = sends ?? 'fails';
          if (isOptional) expect(fails).toBeUndefined();
        }
        return foldSent(modes);
      };
      try {
        for (const row of SENT_BY_SQL_SERVER) {
          const { notNull: _, ...rest } = row;
          const sends = await send(row, true);
          const notNull = differingModes(sends, await send(row, false));
          expect({ ...rest, sends, ...(notNull && { notNull }) }).toEqual(row);
        }
      } finally {
        await program.stop();
      }
    },
    BUILT_WITHIN_MS,
  );
});

/** Hides the connector's warnings about values that it sends as NULL. */
const QUIET = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=off'];

/** Describes a column, such as `decimal(18,2)`: type, length and scale. Settings are Debezium's defaults. */
function describeColumn({ type, value }: SentValue): object {
  const [, name = '', numbers = ''] = /^(\w+)(?:\((.*)\))?$/.exec(type) ?? [];
  const [first = 0, second] = numbers.split(',').map(Number);
  const isDecimal = second !== undefined;
  const scale = isDecimal ? second : (SCALES[name] ?? first);
  return {
    ...{ type: name, value, length: isDecimal ? first : 0, scale },
    'time.precision.mode': 'adaptive',
    'decimal.handling.mode': 'precise',
    'binary.handling.mode': 'bytes',
  };
}
