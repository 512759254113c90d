import type { Exactness } from '../table-definition.ts';

/** A source type's counterpart in PostgreSQL. */
export interface MappedType {
  /** As `format_type` spells it. */
  readonly type: string;
  readonly exactness: Exactness;
  /** Why it is not exact, or what else is worth knowing. */
  readonly reason?: string;
}

/** A type whose values are all kept. */
export function exact(type: string, reason?: string): MappedType {
  return { type, exactness: 'exact', ...(reason && { reason }) };
}

/** A type that keeps all values and would take more. */
export function widened(type: string, reason: string): MappedType {
  return { type, exactness: 'widened', reason };
}

/** A type that cannot hold some values as they are. */
export function lossy(type: string, reason: string): MappedType {
  return { type, exactness: 'lossy', reason };
}

/** A type whose values the change feed does not carry. */
export function unsupported(type: string, reason: string): MappedType {
  return { type, exactness: 'unsupported', reason };
}
