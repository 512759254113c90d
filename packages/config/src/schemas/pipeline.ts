import { oneOf, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import type { PipelineSettings } from '../config.ts';
import { defined } from '../defined.ts';

/** Schema of the settings about the writer of events and the format of their values, for a sink group or a table. */
export const pipelineSchema = v.pipe(
  v.strictObject({
    writer: v.optional(oneOf(['bento', 'debezium-jdbc', 'confluent-jdbc'])),
    events: v.optional(oneOf(['debezium', 'recommended', 'bento-sql-raw'])),
    time_precision_mode: v.optional(
      oneOf([
        ...(['adaptive', 'adaptive_time_microseconds', 'microseconds', 'nanoseconds'] as const),
        ...(['connect', 'isostring', 'rfc3339'] as const),
      ]),
    ),
    decimal_handling_mode: v.optional(oneOf(['precise', 'string', 'double'])),
    binary_handling_mode: v.optional(oneOf(['bytes', 'base64', 'base64-url-safe', 'hex'])),
    interval_handling_mode: v.optional(oneOf(['numeric', 'string'])),
    unavailable_value_placeholder: v.optional(text('a string')),
    truncate: v.optional(oneOf(['dead_letter', 'empty'])),
    positions: v.optional(oneOf(['offset', 'lsn'])),
    column_names: v.optional(oneOf(['source', 'ascii'])),
  }),
  v.transform((shape): PipelineSettings =>
    defined({
      writer: shape.writer,
      events: shape.events,
      time: shape.time_precision_mode,
      decimal: shape.decimal_handling_mode,
      binary: shape.binary_handling_mode,
      interval: shape.interval_handling_mode,
      unavailable: shape.unavailable_value_placeholder,
      truncate: shape.truncate,
      positions: shape.positions,
      columnNames: shape.column_names,
    }),
  ),
);
