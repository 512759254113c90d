import { type Exactness, TYPE_NOTES, type TypeNoteCode } from './type-notes.ts';

/** A source type's counterpart in PostgreSQL. */
export interface MappedType {
  /** As `format_type` spells it. */
  readonly type: string;
  readonly exactness: Exactness;
  /** Why it is not exact, or what else is worth knowing, in a word. */
  readonly code?: TypeNoteCode;
  /** The same in a sentence. */
  readonly reason?: string;
}

/** A type whose values are all kept. */
export function exact(type: string): MappedType {
  return { type, exactness: 'exact' };
}

/** A type of which there is something to say, with the note's own sentence unless there is a better one. */
export function noted(
  type: string,
  code: TypeNoteCode,
  reason: string = TYPE_NOTES[code].says,
): MappedType {
  return { type, exactness: TYPE_NOTES[code].exactness, code, reason };
}
