import { locateProblems } from './yaml-positions.ts';

const TEXT = `# a comment
a:
  - x
  - b.c: 1
    on: { d: 2,
      0123: 3 }
'quoted key':
  ? complex
  : 1
`;

it.each([
  [[], 1],
  [['a'], 2],
  [['a', 0], 3],
  [['a', 1], 4],
  [['a', 1, 'b.c'], 4],
  [['a', 1, 'on', 'd'], 5],
  [['a', 1, 'on', '0123'], 6],
  [['a', 1, 'nothing', 'below'], 4],
  [['a', 7], 2],
  [['quoted key', 'complex'], 8],
  [['nothing'], 1],
])('finds %j in line %i', (keys, line) => {
  const problem = { at: { file: 'a.yaml', keys }, message: 'x' };
  expect(locateProblems([problem], () => TEXT)).toEqual([{ ...problem, line }]);
});

it('sorts problems by file and line, and keeps known lines', () => {
  const problems = [
    { at: { file: 'b.yaml', keys: [] }, message: '1' },
    { at: { file: 'a.yaml', keys: ['a', 1] }, message: '2' },
    { at: { file: 'a.yaml', keys: ['a'] }, message: '3', key: 0 },
    { at: { file: 'a.yaml', keys: [] }, message: '4', line: 40 },
    { at: { file: 'a.yaml', keys: ['a'] }, message: '5' },
  ];
  const readText = (file: string) => (file === 'a.yaml' ? TEXT : undefined);
  expect(locateProblems(problems, readText).map(({ message, line }) => [message, line])).toEqual([
    ['5', 2],
    ['3', 3],
    ['2', 4],
    ['4', 40],
    ['1', undefined],
  ]);
});
