import { quoteIdentifier, quoteLiteral } from './quote.ts';

/** What a template can call. */
export const HELPERS = {
  id: (name: string) => quoteIdentifier(name),
  literal: (text: string) => quoteLiteral(text),
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
