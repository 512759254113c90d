/** Options for compiling templates at runtime or at build time. */
export const COMPILE_OPTIONS = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { id: true, literal: true },
  preventIndent: true,
};

/**
 * Adds the argument's name to every helper call of a template: `{{id name}}` becomes `{{id name "name"}}`. In strict
 * mode Handlebars checks printed values but not the arguments of helpers. The helpers check them and name them in
 * errors.
 */
export function nameArguments(source: string): string {
  return source
    .replaceAll('\r\n', '\n')
    .replace(/\{\{(?!!)[^{}]*\}\}/g, (tag) =>
      tag.replace(/\b(id|literal|if|unless|each) ([\w@./]+)(?=[)}])/g, '$1 $2 "$2"'),
    );
}
