/**
 * Characters that terminals and CI logs interpret or hide: control characters, text direction overrides, zero-width
 * characters, halves of surrogate pairs, line separators.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const LAST_OF_FOUR_DIGITS = 0xffff;

/**
 * Renders an untrusted text as one line with every character visible. Untrusted texts are names from catalogs and
 * files, and messages of servers.
 *
 * @example
 * visible('a\u001b[2K\nb') // a\u001b[2K\u000ab
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** Escapes a character as `\u001b`, or as `\u{e0041}` if four digits are not enough. */
function escaped(letter: string): string {
  const code = letter.codePointAt(0)!;
  const digits = code.toString(16).padStart(4, '0');
  return code > LAST_OF_FOUR_DIGITS ? `\\u{${digits}}` : `\\u${digits}`;
}

const TURNS = '\\u202a-\\u202e\\u2066-\\u2069';
/**
 * Characters that a name must not contain. Nobody types them, and they can be used to disguise the text around them.
 */
const NOT_IN_NAMES = new RegExp(`[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}${TURNS}]`, 'u');
const TURNING = new RegExp(`[${TURNS}]`, 'u');

/**
 * Returns a message if a name contains an invisible character that changes the display of the text around it. Returns
 * undefined for any other name.
 *
 * @param solution instruction at the end of the message.
 */
export function characterProblem(
  name: string,
  solution = 'expected a name without invisible characters',
): string | undefined {
  const letter = NOT_IN_NAMES.exec(name)?.[0];
  if (letter === undefined) return undefined;
  return `the name "${visible(name)}" has ${kindOf(letter)} (${escaped(letter)}); ${solution}`;
}

function kindOf(letter: string): string {
  if (TURNING.test(letter)) return 'a character that changes the text direction';
  return /\p{Cs}/u.test(letter) ? 'half of a surrogate pair' : 'a control character';
}

/**
 * Finds characters that change the text direction in a hand-written file. Returns each with its line, counted from 1.
 */
export function findBidiControls(text: string): readonly { line: number; letter: string }[] {
  if (!TURNING.test(text)) return [];
  return text.split('\n').flatMap((content, index) => {
    const letter = TURNING.exec(content)?.[0];
    return letter === undefined ? [] : [{ line: index + 1, letter: escaped(letter) }];
  });
}
