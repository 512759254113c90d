import { replaceBlocks } from './replace-blocks.ts';

const TEXT = `# A
<!-- generated: one -->
old
<!-- end -->
between
<!-- generated: two with words -->
<!-- end -->
`;

describe('replaceBlocks', () => {
  it('writes the content of each block between its markers, and keeps the other text', async () => {
    const text = await replaceBlocks(TEXT, (block) => `content of ${block} $1\n`);
    expect(text).toBe(`# A
<!-- generated: one -->

content of one $1

<!-- end -->
between
<!-- generated: two with words -->

content of two with words $1

<!-- end -->
`);
    expect(await replaceBlocks(text, (block) => `content of ${block} $1`)).toBe(text);
  });
});
