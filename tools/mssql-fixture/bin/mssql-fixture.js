#!/usr/bin/env node
import { runFromCommandLine } from '../dist/run-from-command-line.js';

runFromCommandLine(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`mssql-fixture: ${error.message}\n`);
  process.exitCode = 2;
});
