import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { quoteIdentifier, quoteLiteral } from './quote.ts';

/**
 * A renderer for a `.sql.hbs` file whose first line is the comment `{{!-- View: <name of its view type> --}}`.
 *
 * Strict: nothing is escaped as HTML, and a name that the view lacks is an error, never nothing. A template can
 * loop (`each`), test (`if`, `unless`), and quote (`id`, `literal`); every decision is made by the function that
 * builds the view.
 *
 * @throws Error on rendering, naming the template, where it uses a name that the view lacks.
 */
export function loadTemplate<View extends object>(url: URL): (view: View) => string {
  const source = readFileSync(url, 'utf8').replaceAll('\r\n', '\n');
  const template = handlebars().compile<View>(source, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: { id: true, literal: true },
    preventIndent: true,
  });
  return (view) => {
    try {
      return template(view);
    } catch (error) {
      throw new Error(`${url.pathname.split('/').at(-1)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
}

let environment: typeof Handlebars | undefined;

function handlebars(): typeof Handlebars {
  if (environment) return environment;
  environment = Handlebars.create();
  environment.registerHelper('id', (name: string) => quoteIdentifier(name));
  environment.registerHelper('literal', (text: string) => quoteLiteral(text));
  return environment;
}
