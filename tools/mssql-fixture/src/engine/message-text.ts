/** A message of sys.messages; `%s` stands for each value. */
export interface MessageText {
  readonly severity: number;
  readonly text: string;
  readonly state?: number;
}

/** The text of an error; severity 16 unless said. */
export const error = (text: string, severity = 16, state = 1): MessageText => ({
  severity,
  text,
  state,
});
