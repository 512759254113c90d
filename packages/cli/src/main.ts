import { endWithReader } from './print.ts';
import { runProgram } from './program.ts';

endWithReader();

// What a driver does that a later Node will not like is nothing that a user can mend.
process.noDeprecation = true;

await runProgram(process.argv, { setExitCode: (exitCode) => (process.exitCode = exitCode) });
