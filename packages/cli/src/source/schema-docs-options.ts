export interface SchemaDocsOptions {
  readonly root?: string;
  readonly env?: string;
  readonly service?: readonly string[];
  readonly customer?: readonly string[];
  readonly all?: boolean;
  readonly compare?: boolean;
  readonly ifChanged?: boolean;
  readonly force?: boolean;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
  /** True if another command prints the output. Files in the way are an error then. */
  readonly quiet?: boolean;
}
