/** A name of 44 bytes that PostgreSQL accepts, with everything that terminals and CI logs execute. */
export const HOSTILE = 'x\u001b[2K\u0007\r\n::error::oops\u202e##[error]\u200b\u0085y';

/** Returns the lines of an output that terminals and CI systems would execute, as JSON. */
export function obeyedIn(output: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|^\s*::|##\w*\[/u.test(line))
    .map((line) => JSON.stringify(line));
}
