import { type KafkaBroker, startKafkaBroker } from './kafka-broker.ts';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';

describeWire('a Kafka broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafkaBroker();
  }, BUILT_WITHIN_MS);
  afterAll(() => broker?.stop());

  it('keeps keys and values as bytes after a kill', async () => {
    await broker.createTopic('events', 2);
    const bytes = Buffer.from([0, 0xff, 0x0a]);
    await broker.write('events', [
      { key: 'a', value: bytes, partition: 1 },
      { key: null, value: '', partition: 0 },
      { key: 'a', value: null, partition: 1 },
    ]);
    await broker.kill('SIGKILL');
    await broker.restart();
    const records = await broker.read('events');
    const inOrder = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
    expect(inOrder.map(({ timestampMs: _, ...record }) => record)).toEqual([
      { partition: 0, offset: 0, key: null, value: Buffer.alloc(0) },
      { partition: 1, offset: 0, key: Buffer.from('a'), value: bytes },
      { partition: 1, offset: 1, key: Buffer.from('a'), value: null },
    ]);
    expect(await broker.readEnds('events')).toEqual({ 0: 1, 1: 2 });
    expect(await broker.readCommitted('nobody', 'events')).toEqual({});
    expect(await broker.read('another')).toEqual([]);
  });

  it('reports an invalid topic name', async () => {
    await expect(broker.createTopic('not a name', 1)).rejects.toThrow('INVALID_TOPIC_EXCEPTION');
  });
});
