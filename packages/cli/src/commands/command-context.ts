/** What a command gets from the shell that runs it. */
export interface CommandContext {
  readonly setExitCode: (exitCode: number) => void;
}
