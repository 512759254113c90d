import { joinAlike } from './join-alike.ts';

const about = (schema: string, text: string) => ({ schema, lines: [`${schema}.Actor: ${text}`] });

it('lists the other schemas with the same cause after the first one', () => {
  expect(
    joinAlike([about('a', 'bad'), about('b', 'bad'), about('x', 'good'), about('c.d', 'bad')]),
  ).toEqual(['a.Actor: bad', '  the same in 2 more: b, c.d', 'x.Actor: good']);
});

it('prints items in full if at most two have the same cause', () => {
  const lines = [about('a', 'bad'), about('b', 'bad'), about('c', 'worse')];
  expect(joinAlike(lines)).toEqual(lines.flatMap((one) => one.lines));
});

it('joins items of one cause that have different numbers', () => {
  const items = [1, 20, 3].map((count, at) => ({
    ...about(`c${at}`, `${count} dead letters`),
    ...{ cause: 'dead letters', detail: String(count) },
  }));
  expect(joinAlike(items)).toEqual([
    'c0.Actor: 1 dead letters',
    '  the same in 2 more: c1 (20), c2 (3)',
  ]);
});
