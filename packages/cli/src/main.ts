import { endWithReader } from './print.ts';
import { LIVE_COMMAND } from './completions/completion-model.ts';

endWithReader();

// Users cannot fix deprecation warnings about drivers.
process.noDeprecation = true;

const [, , command, kind = '', ...words] = process.argv;
// A shell asks while somebody types, so nothing is loaded that it does not need.
if (command === LIVE_COMMAND) {
  const { printLiveValues } = await import('./completions/live-values.ts');
  printLiveValues(kind, words);
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv, { setExitCode: (exitCode) => (process.exitCode = exitCode) });
}
