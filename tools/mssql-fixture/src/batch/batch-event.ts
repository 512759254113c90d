import type { SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn, ServerMessage } from '../tds/tokens.ts';

/** Events of a batch for its client, in order. */
export type BatchEvent =
  | {
      readonly kind: 'rows';
      readonly columns: readonly ResultColumn[];
      readonly rows: readonly (readonly SqlValue[])[];
    }
  /** End of a statement. The row count is undefined if it does not count. */
  | { readonly kind: 'done'; readonly rowCount: number | undefined }
  | { readonly kind: 'message'; readonly message: ServerMessage }
  /** End of a procedure. */
  | { readonly kind: 'status'; readonly value: number }
  | { readonly kind: 'database'; readonly from: string; readonly to: string };
