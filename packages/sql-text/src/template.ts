import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { bindTemplate } from './bind-template.ts';
import { COMPILE_OPTIONS, nameArguments } from './compile-options.ts';

/**
 * Loads the renderer of a `.sql.hbs` file whose first line is the comment `{{!-- View: <name of its view type> --}}`.
 *
 * Templates are strict: nothing is escaped as HTML, and a name that is missing in the view is an error. A template can
 * loop (`each`), test (`if`, `unless`), and quote (`id`, `literal`). All decisions are made by the function that builds
 * the view.
 *
 * @throws Error on rendering if a name is missing in the view. The message contains the name of the template.
 */
export function loadTemplate<View extends object>(url: URL): (view: View) => string {
  const source = nameArguments(readFileSync(url, 'utf8'));
  const template = Handlebars.compile<View>(source, COMPILE_OPTIONS);
  return bindTemplate(url, (view, options) => template(view, options));
}
