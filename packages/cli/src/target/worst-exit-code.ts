import { EXIT } from '../exit-code.ts';

/** Exit codes from the one that matters most to the one that matters least. */
const ORDER: readonly number[] = [
  EXIT.edited,
  EXIT.usage,
  EXIT.locked,
  EXIT.tenantsFailed,
  EXIT.unsafe,
  EXIT.differences,
  EXIT.done,
];

/** The exit code of a command for several things that ended with these. */
export function worstExitCode(codes: readonly number[]): number {
  return ORDER.find((code) => codes.includes(code)) ?? EXIT.done;
}
