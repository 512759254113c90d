import { chooseSeed } from '@cdc-migrations/event-model';
import { CRASH_SETTINGS } from './crash-server.ts';
import { runReloadRound } from './reload-round.ts';
import { type SoakDatabase, type SoakTarget, startSoakTarget } from './soak-target.ts';

const seed = chooseSeed();

/** Plausible but wrong sweeps, as changes of the functions' text. */
const WRONG_SWEEPS: readonly (readonly [string, string, string])[] = [
  [
    'treats only rows that the snapshot has read as new',
    '{is_before}',
    'cdc_management.is_read(stored."__cdc_operation") IS NOT TRUE',
  ],
  ['does not record what it removes', 'WHERE kafka_offset IS NOT NULL', 'WHERE false'],
];

describe('reloads during writes, merges and accidents', () => {
  let target: SoakTarget;
  beforeAll(async () => {
    target = await startSoakTarget(15, CRASH_SETTINGS);
  });
  afterAll(() => target?.stop());

  it.each([seed, seed + 1, seed + 2, seed + 3])(
    'result in the rows of the source, seed %i',
    async (of) => {
      const { differences, events } = await runReloadRound(target, of);
      expect(differences).toEqual([]);
      expect(events).toBeGreaterThan(0);
    },
  );

  it('result in the rows of the source if the server crashes', async () => {
    const { differences, accidents } = await runReloadRound(target, seed, { crashes: true });
    expect(differences).toEqual([]);
    expect(accidents).toBeGreaterThan(1);
  });

  it.each(WRONG_SWEEPS)('detect a sweep that %s', async (_, from, to) => {
    const sabotage = (database: SoakDatabase) => replaceInFunctions(database, from, to);
    const found: string[] = [];
    for (let of = 1; found.length === 0 && of <= 12; of++)
      found.push(...(await runReloadRound(target, of, { sabotage })).differences);
    expect(found).not.toEqual([]);
  });
});

async function replaceInFunctions({ superuser }: SoakDatabase, from: string, to: string) {
  const functions = await superuser<{ text: string }[]>`
    SELECT pg_get_functiondef(oid) AS text FROM pg_proc
    WHERE pronamespace = 'cdc_management'::regnamespace AND proname IN ('sweep_unread', 'find_unread')`;
  const changed = functions.map(({ text }) => text.replaceAll(from, to));
  expect(changed).not.toEqual(functions.map(({ text }) => text));
  for (const text of changed) await superuser.unsafe(text).simple();
}
