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
  /** Whether the output is somebody else's: files in the way are then an error. */
  readonly quiet?: boolean;
}
