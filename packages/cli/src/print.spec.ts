import { printable, printAnnotations } from './print.ts';
import { HOSTILE, obeyedIn } from './printed.fixture.ts';

it.each([
  ['a b', 'a b'],
  ['Døv «æøå» 漢字 😀', 'Døv «æøå» 漢字 😀'],
  ['a\u001b[2Kb', 'a\\u001b[2Kb'],
  ['a\nb\r\tc', 'a\\u000ab\\u000d\\u0009c'],
  ['\u0007\u0085\u009b', '\\u0007\\u0085\\u009b'],
  ['\u202eabc\u2066', '\\u202eabc\\u2066'],
  ['a\u200bb\ufeff\u00ad', 'a\\u200bb\\ufeff\\u00ad'],
  ['a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['\ud800 and \u{e0041}', '\\ud800 and \\u{e0041}'],
  ['::error::x', '\\u003a:error::x'],
  ['  ::add-mask::x', '  \\u003a:add-mask::x'],
  ['a ::error::x', 'a ::error::x'],
  ['##[error]x', '\\u0023#[error]x'],
  ['a ##vso[task.complete]x', 'a \\u0023#vso[task.complete]x'],
  ['## head', '## head'],
])('%j is printed as %j', (text, expected) => {
  expect(printable(text)).toBe(expected);
  expect(obeyedIn(`${printable(text)}\n`)).toEqual([]);
});

it('escapes text that terminals and CI systems would execute', () => {
  expect(obeyedIn(HOSTILE)).not.toEqual([]);
  expect(obeyedIn(`${printable(HOSTILE)}\n`)).toEqual([]);
});

it('prints a problem as one GitHub annotation with its line, and escapes all other commands', () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/work' };
  const problem = {
    file: 'a,b:c.yaml',
    line: 7,
    message: `100%\n::add-mask::x ##[error]y ${HOSTILE}`,
  };
  printAnnotations('/work/repo', [problem, problem], env);
  printAnnotations('/work/repo', [problem], {});
  const many = Array.from({ length: 30 }, (_, line) => ({ ...problem, line, message: 'x' }));
  printAnnotations('/work/repo', many, env);
  write.mockRestore();
  const [first, more, ...others] = written;
  expect(others).toEqual([]);
  expect(first).toMatch(
    /^::error file=repo\/a%2Cb%3Ac\.yaml,line=7::100%25\\u000a::add-mask::x \\u0023#\[error\]y [^\n]*\n$/,
  );
  expect(obeyedIn(first!.replace(/^::error /, ''))).toEqual([]);
  expect(more!.split('\n')).toHaveLength(11);
});
