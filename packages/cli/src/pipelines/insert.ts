/** An INSERT that somebody wrote, by hand or in a pipeline. */
export interface Insert {
  /** In the file, counted from 1. */
  readonly line: number;
  /** As written in SQL. */
  readonly table: string;
  /** As written in SQL; undefined where none are named. */
  readonly columns?: readonly Written[];
  /** Expressions for the columns; undefined where they cannot be told. */
  readonly values?: readonly Written[];
  /** What `values` are written in. */
  readonly language?: 'sql' | 'bloblang';
  /** `ON CONFLICT`, if the INSERT has such a clause. */
  readonly conflict?: Written;
}

/** A text and the line that it begins in. */
export interface Written {
  readonly text: string;
  readonly line: number;
}

/** The line, counted from 1, of an offset in a text. */
export function linesOf(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
