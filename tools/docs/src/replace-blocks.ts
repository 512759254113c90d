/** A block of a document that is written by the docs tool: what stands behind `generated:` in its marker. */
const BLOCK = /^(<!-- generated: (.+) -->)\n[^]*?^(<!-- end -->)$/gm;

/** The text with the content of each block between `<!-- generated: … -->` and `<!-- end -->` made anew. */
export async function replaceBlocks(
  text: string,
  render: (block: string) => string | Promise<string>,
): Promise<string> {
  const found = [...text.matchAll(BLOCK)].map(([, , block]) => block!);
  const contents = await Promise.all(found.map(render));
  let index = 0;
  return text.replace(
    BLOCK,
    (_, start: string, _block: string, end: string) =>
      `${start}\n\n${contents[index++]!.trim()}\n\n${end}`,
  );
}
