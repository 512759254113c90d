import { EXIT } from '../exit-code.ts';

/** Exit codes, the most important first. */
const ORDER: readonly number[] = [
  EXIT.edited,
  EXIT.usage,
  EXIT.locked,
  EXIT.tenantsFailed,
  EXIT.unsafe,
  EXIT.differences,
  EXIT.done,
];

/** Returns the exit code of a command from those of its parts. */
export function worstExitCode(codes: readonly number[]): number {
  return ORDER.find((code) => codes.includes(code)) ?? EXIT.done;
}
