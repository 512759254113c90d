/** An INSERT in a hand-written file or in a pipeline. */
export interface Insert {
  /** Line in the file, counted from 1. */
  readonly line: number;
  /** Table as written in SQL. */
  readonly table: string;
  /** Columns as written in SQL. Undefined if the INSERT has no list of columns. */
  readonly columns?: readonly Written[];
  /** Expressions of the columns. Undefined if they are unknown. */
  readonly values?: readonly Written[];
  /** Language of `values`. */
  readonly language?: 'sql' | 'bloblang';
  /** `ON CONFLICT`, if the INSERT has such a clause. */
  readonly conflict?: Written;
}

/** A text and its first line. */
export interface Written {
  readonly text: string;
  readonly line: number;
}

/** Returns a function from an offset in the text to its line, counted from 1. */
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
