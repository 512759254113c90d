import type { Stage } from './stage.ts';

export interface GenerateOptions {
  readonly root?: string;
  readonly service?: readonly string[];
  readonly table?: readonly string[];
  readonly only?: Stage;
  readonly dryRun?: boolean;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  /** True if the snapshots were read from the databases just now. */
  readonly refresh?: boolean;
}
