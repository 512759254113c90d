import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { reportApis } from './render-api.ts';
import { buildRenderer } from './render-block.ts';
import { renderJsonSchemas } from './render-json-schemas.ts';
import { replaceBlocks } from './replace-blocks.ts';

/** Documents with generated blocks, relative to the workspace. */
export const DOCUMENTS = [
  'README.md',
  'FORMATS.md',
  'docs/connect-your-pipeline.md',
  'packages/cli/README.md',
  'packages/nx-plugin/README.md',
] as const;

export interface RenderedDocument {
  readonly path: string;
  readonly before: string;
  readonly text: string;
}

export interface RenderedDocuments {
  readonly documents: readonly RenderedDocument[];
  /** What is wrong with the exports of the libraries. */
  readonly faults: readonly string[];
}

/** Renders each document, JSON Schema and report of a public API; all packages must be built. */
export async function renderDocuments(root: string): Promise<RenderedDocuments> {
  const renderBlock = buildRenderer(root);
  const render = async (path: string, renderText: (before: string) => string | Promise<string>) => {
    const file = join(root, path);
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const options = { ...(await resolveConfig(file)), filepath: file };
    return { path, before, text: await format(await renderText(before), options) };
  };
  const { reports, faults } = reportApis(root);
  const documents = await Promise.all([
    ...DOCUMENTS.map((path) => render(path, (before) => replaceBlocks(before, renderBlock))),
    ...[...renderJsonSchemas(), ...reports].map(([path, text]) => render(path, () => text)),
  ]);
  return { documents, faults };
}
