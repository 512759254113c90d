/** A name of 44 bytes that PostgreSQL can hold, with all that terminals and CI logs obey. */
export const HOSTILE = 'x\u001b[2K\u0007\r\n::error::oops\u202e##[error]\u200b\u0085y';

/** What terminals and CI systems obey in an output: the lines, as JSON. */
export function obeyedIn(output: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|^\s*::|##\w*\[/u.test(line))
    .map((line) => JSON.stringify(line));
}
