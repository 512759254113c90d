import { type Exactness, TYPE_NOTES, type TypeNoteCode } from './type-notes.ts';

/** The PostgreSQL counterpart of a source type. */
export interface MappedType {
  /** As printed by `format_type`. */
  readonly type: string;
  readonly exactness: Exactness;
  /** Code of a note about the type, such as why it is not exact. */
  readonly code?: TypeNoteCode;
  /** The note as a sentence. */
  readonly reason?: string;
}

/** Builds a type that keeps all values. */
export function exact(type: string): MappedType {
  return { type, exactness: 'exact' };
}

/** Builds a type with a note. The default reason is the note's own sentence. */
export function noted(
  type: string,
  code: TypeNoteCode,
  reason: string = TYPE_NOTES[code].says,
): MappedType {
  return { type, exactness: TYPE_NOTES[code].exactness, code, reason };
}
