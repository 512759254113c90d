/** Parses a one-dimensional array in PostgreSQL's text form: `{a,"b c",NULL}`. */
export function parseArrayText(text: string): readonly (string | null)[] {
  const elements: (string | null)[] = [];
  const element = /(?:"((?:[^"\\]|\\.)*)"|([^{},"]*))([,}])/gsy;
  element.lastIndex = 1;
  if (text === '{}') return elements;
  for (let end = ','; end === ',';) {
    const match = element.exec(text);
    if (!match) throw new Error(`not an array of one dimension: ${text}`);
    const [, quoted, plain = ''] = match;
    end = match[3]!;
    elements.push(quoted?.replace(/\\(.)/gs, '$1') ?? (plain === 'NULL' ? null : plain));
  }
  return elements;
}

/** Renders an array in PostgreSQL's text form. */
export function renderArrayText(elements: readonly (string | null)[]): string {
  const texts = elements.map((element) =>
    element === null ? 'NULL' : `"${element.replace(/["\\]/g, '\\$&')}"`,
  );
  return `{${texts.join(',')}}`;
}
