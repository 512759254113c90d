/** Access of a command to the process that runs it. */
export interface CommandContext {
  readonly setExitCode: (exitCode: number) => void;
}
