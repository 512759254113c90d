/** How templates are compiled, when they are loaded or ahead of time. */
export const COMPILE_OPTIONS = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { id: true, literal: true },
  preventIndent: true,
};
