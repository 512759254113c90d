export { startConnectWorker } from './connect-worker.ts';
export type { ConnectOptions, Connector, ConnectWorker, Task } from './connect-worker.ts';
export { startKafkaBroker } from './kafka-broker.ts';
export type { KafkaBroker, KafkaRecord, Offsets, WrittenRecord } from './kafka-broker.ts';
export type { Program } from './program.ts';
export { BUILT_WITHIN_MS, describeWire } from './programs.ts';
export { renderDsn, startJdbcWriter, startPqWriter } from './writers.ts';
export type { Insert, Inserted, JdbcBind, PqBind, Writer, WriterTarget } from './writers.ts';
