/** How templates are compiled, when they are loaded or ahead of time. */
export const COMPILE_OPTIONS = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { id: true, literal: true },
  preventIndent: true,
};

/**
 * The template with the name of its argument in every call of a helper: `{{id name}}` is `{{id name "name"}}`. In
 * strict mode Handlebars checks what is printed, and not what helpers are given: they check it, and can name it.
 */
export function nameArguments(source: string): string {
  return source
    .replaceAll('\r\n', '\n')
    .replace(/\{\{(?!!)[^{}]*\}\}/g, (tag) =>
      tag.replace(/\b(id|literal|if|unless|each) ([\w@./]+)(?=[)}])/g, '$1 $2 "$2"'),
    );
}
