/** A block of a document that the docs tool writes: the name behind `generated:` in its marker. */
const BLOCK = /^(<!-- generated: (.+) -->)\n[^]*?^(<!-- end -->)$/gm;

/** Lists the names of the generated blocks of a text. */
export function listBlocks(text: string): readonly string[] {
  return [...text.matchAll(BLOCK)].map(([, , block]) => block!);
}

/** Replaces the content of each block between `<!-- generated: … -->` and `<!-- end -->`. */
export async function replaceBlocks(
  text: string,
  render: (block: string) => string | Promise<string>,
): Promise<string> {
  const contents = await Promise.all(listBlocks(text).map(render));
  let index = 0;
  return text.replace(
    BLOCK,
    (_, start: string, _block: string, end: string) =>
      `${start}\n\n${contents[index++]!.trim()}\n\n${end}`,
  );
}
