import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { buildRenderer } from './render-block.ts';
import { replaceBlocks } from './replace-blocks.ts';

/** Documents with generated blocks, relative to the workspace. */
export const DOCUMENTS = ['README.md', 'FORMATS.md'] as const;

export interface RenderedDocument {
  readonly path: string;
  readonly before: string;
  readonly text: string;
}

/** Each document as it is and as it should be; the command line must be built. */
export async function renderDocuments(root: string): Promise<readonly RenderedDocument[]> {
  const renderBlock = buildRenderer(root);
  return Promise.all(
    DOCUMENTS.map(async (path) => {
      const file = join(root, path);
      const before = readFileSync(file, 'utf8');
      const text = await replaceBlocks(before, renderBlock);
      const options = { ...(await resolveConfig(file)), filepath: file };
      return { path, before, text: await format(text, options) };
    }),
  );
}
