import { quoteIdentifier, quoteLiteral } from './quote.ts';

interface BlockOptions {
  readonly fn: (context: unknown, options?: { readonly data: object }) => string;
  readonly inverse: (context: unknown) => string;
}

/** What a template can call, each with the value and the name that it has in the template. */
export const HELPERS = {
  id: (value: unknown, name: unknown) => quoteIdentifier(checkText(value, name)),
  literal: (value: unknown, name: unknown) => quoteLiteral(checkText(value, name)),
  if(this: unknown, value: unknown, name: string, { fn, inverse }: BlockOptions) {
    return checkKnown(value, name) ? fn(this) : inverse(this);
  },
  unless(this: unknown, value: unknown, name: string, { fn, inverse }: BlockOptions) {
    return checkKnown(value, name) ? inverse(this) : fn(this);
  },
  each(value: unknown, name: string, { fn }: BlockOptions) {
    if (!Array.isArray(checkKnown(value, name))) throw new Error(`"${name}" is no list`);
    return (value as readonly unknown[]).map((item) => fn(item)).join('');
  },
};

/** The renderer of a compiled template, whose errors name its file. */
export function bindTemplate<View>(
  url: URL,
  template: (view: View, options: { readonly helpers: typeof HELPERS }) => string,
): (view: View) => string {
  const options = { helpers: HELPERS };
  return (view) => {
    try {
      return template(view, options);
    } catch (error) {
      const name = url.pathname.split('/').at(-1);
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  };
}

function checkKnown(value: unknown, name: string): unknown {
  if (value === undefined) throw new Error(`"${name}" not defined`);
  return value;
}

/** The name is missing where a helper quotes what another one gave. */
function checkText(value: unknown, name: unknown): string {
  if (typeof value === 'string') return value;
  const shown = typeof name === 'string' ? `"${name}"` : 'an argument';
  throw new Error(value === undefined ? `${shown} not defined` : `${shown} is no text`);
}
