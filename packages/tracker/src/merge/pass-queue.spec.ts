import type { TableLane } from './merge-event.ts';
import { buildPassQueue } from './pass-queue.ts';

const [A, B, C] = (['a', 'b', 'c'] as const).map((table) => ({
  schema: 'blue',
  table,
  lane: null,
})) as [TableLane, TableLane, TableLane];

describe('passes', () => {
  it('take turns: an unfinished pass is queued behind the waiting passes', async () => {
    const queue = buildPassQueue({ staysOpen: false });
    queue.add([A, B]);
    const first = (await queue.take())!;
    queue.putBack({ ...first, state: { lane: null, end: 64 } });
    expect(await queue.take()).toMatchObject(B);
    expect(await queue.take()).toMatchObject({ ...A, state: { lane: null, end: 64 } });
  });

  it('are limited to one for each table until it is finished', async () => {
    const queue = buildPassQueue({ staysOpen: true });
    queue.add([A]);
    queue.add([A, B]);
    expect(queue.open).toBe(2);
    const pass = (await queue.take())!;
    queue.add([A]);
    expect(queue.open).toBe(2);
    queue.finish(pass);
    queue.add([A]);
    expect(await queue.take()).toMatchObject(B);
    expect(await queue.take()).toMatchObject(A);
  });

  it('are limited to one for each lane of a table, and the table counts once', async () => {
    const queue = buildPassQueue({ staysOpen: false });
    queue.add([{ ...A, lane: 0 }, { ...A, lane: 1 }, { ...A, lane: 0 }, B]);
    expect(queue.open).toBe(2);
    const passes = [await queue.take(), await queue.take(), await queue.take()];
    expect(passes.map((pass) => pass!.state)).toEqual([{ lane: 0 }, { lane: 1 }, { lane: null }]);
    for (const pass of passes) queue.finish(pass!);
    expect(queue.isClosed).toBe(true);
  });

  it('are given to waiting callers', async () => {
    const queue = buildPassQueue({ staysOpen: true });
    const taken = [queue.take(), queue.take()];
    queue.add([A, B, C]);
    expect(await Promise.all(taken)).toMatchObject([A, B]);
  });

  it('close the queue when the last one is finished, unless it stays open', async () => {
    const [once, always] = [
      buildPassQueue({ staysOpen: false }),
      buildPassQueue({ staysOpen: true }),
    ];
    for (const queue of [once, always]) {
      queue.add([A]);
      queue.finish((await queue.take())!);
    }
    expect([once.isClosed, always.isClosed]).toEqual([true, false]);
    const waiting = always.take();
    always.close();
    expect(await waiting).toBeUndefined();
    always.add([B]);
    expect(await always.take()).toBeUndefined();
    const empty = buildPassQueue({ staysOpen: false });
    empty.add([]);
    expect(await empty.take()).toBeUndefined();
  });
});
