/**
 * What terminals and CI logs obey or hide instead of showing it: control characters, overrides of the direction of
 * writing, letters without width, halves of surrogate pairs, separators of lines.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const LAST_OF_FOUR_DIGITS = 0xffff;

/**
 * Renders a text from outside as one line that shows all of it: names of catalogs and files, messages of servers.
 *
 * @example
 * visible('a\u001b[2K\nb') // a\u001b[2K\u000ab
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** `\u001b`; `\u{e0041}` where four digits are not enough. */
function escaped(letter: string): string {
  const code = letter.codePointAt(0)!;
  const digits = code.toString(16).padStart(4, '0');
  return code > LAST_OF_FOUR_DIGITS ? `\\u{${digits}}` : `\\u${digits}`;
}

const TURNS = '\\u202a-\\u202e\\u2066-\\u2069';
/** What no name can have: nobody types it, and what it does to the text around it is a means of deceit. */
const NOT_IN_NAMES = new RegExp(`[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}${TURNS}]`, 'u');
const TURNING = new RegExp(`[${TURNS}]`, 'u');

/**
 * Says why a name cannot be used: it has a letter that does not show, and changes how the text around it is shown.
 *
 * @param wayOut what to do about it.
 */
export function letterFault(
  name: string,
  wayOut = 'expected a name of letters that show',
): string | undefined {
  const letter = NOT_IN_NAMES.exec(name)?.[0];
  if (letter === undefined) return undefined;
  return `the name "${visible(name)}" has ${kindOf(letter)} (${escaped(letter)}); ${wayOut}`;
}

function kindOf(letter: string): string {
  if (TURNING.test(letter)) return 'a letter that turns the direction of writing';
  return /\p{Cs}/u.test(letter) ? 'half of a surrogate pair' : 'a control character';
}

/** Finds the lines, counted from 1, of a file by users that hold what turns the direction of writing, and that letter. */
export function findTurningLetters(text: string): readonly { line: number; letter: string }[] {
  if (!TURNING.test(text)) return [];
  return text.split('\n').flatMap((content, index) => {
    const letter = TURNING.exec(content)?.[0];
    return letter === undefined ? [] : [{ line: index + 1, letter: escaped(letter) }];
  });
}
