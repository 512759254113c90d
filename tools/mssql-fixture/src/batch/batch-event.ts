import type { SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn, ServerMessage } from '../tds/tokens.ts';

/** What a batch says to its client, in order. */
export type BatchEvent =
  | {
      readonly kind: 'rows';
      readonly columns: readonly ResultColumn[];
      readonly rows: readonly (readonly SqlValue[])[];
    }
  /** A statement is over; how many rows it gave or changed, where that counts. */
  | { readonly kind: 'done'; readonly rowCount: number | undefined }
  | { readonly kind: 'message'; readonly message: ServerMessage }
  /** A procedure is over. */
  | { readonly kind: 'status'; readonly value: number }
  | { readonly kind: 'database'; readonly from: string; readonly to: string };
