export { startConnectWorker } from './connect-worker.ts';
export type { ConnectOptions, Connector, ConnectWorker, Task } from './connect-worker.ts';
export { startKafkaBroker } from './kafka-broker.ts';
export type { KafkaBroker, KafkaRecord, Offsets, Position, WrittenRecord } from './kafka-broker.ts';
export { lintPipeline, runPipeline, startPipeline } from './pipeline.ts';
export type { Pipeline, PipelineOptions, PlayedRecord } from './pipeline.ts';
export type { Program } from './program.ts';
export { BUILT_WITHIN_MS, describeWire } from './programs.ts';
export {
  SCHEMAS_IN_POSTGRES,
  SENT_BY_POSTGRES,
  TYPES_OF_SOURCE,
  UNAVAILABLE_IN_POSTGRES,
} from './sent-by-postgres.ts';
export { SENT_BY_SQL_SERVER } from './sent-by-sqlserver.ts';
export { SETTINGS } from './sent-value.ts';
export type { Sent, SentValue, Setting } from './sent-value.ts';
export { bindAsConfluent, bindAsDebezium } from './sink-binds.ts';
export type { SentField, Sink, SinkBind } from './sink-binds.ts';
export { renderDsn, startJdbcWriter, startPqWriter } from './writers.ts';
export type { Insert, Inserted, JdbcBind, PqBind, Writer, WriterTarget } from './writers.ts';
