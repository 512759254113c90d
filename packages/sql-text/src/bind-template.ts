import { quoteIdentifier, quoteLiteral } from './quote.ts';

interface BlockOptions {
  readonly fn: (context: unknown, options?: { readonly data: object }) => string;
  readonly inverse: (context: unknown) => string;
}

/** Helpers that templates can call. Each gets a value and its name in the template. */
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

/** Builds the renderer of a compiled template. Its errors name the template's file. */
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

/** Checks that a helper got text. The name is undefined if a helper quotes the result of another one. */
function checkText(value: unknown, name: unknown): string {
  if (typeof value === 'string') return value;
  const shown = typeof name === 'string' ? `"${name}"` : 'an argument';
  throw new Error(value === undefined ? `${shown} not defined` : `${shown} is no text`);
}
