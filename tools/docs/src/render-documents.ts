import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { reportApis } from './render-api.ts';
import { buildRenderer } from './render-block.ts';
import { type Help, listCommands, openHelp } from './render-help.ts';
import { renderJsonSchemas } from './render-json-schemas.ts';
import { listBlocks, replaceBlocks } from './replace-blocks.ts';

export interface RenderedDocument {
  readonly path: string;
  readonly before: string;
  readonly text: string;
}

export interface RenderedDocuments {
  readonly documents: readonly RenderedDocument[];
  /** Exports that a library cannot have, and commands that the reference does not have once. */
  readonly faults: readonly string[];
}

/** Renders each document, JSON Schema and API report. All packages must be built. */
export async function renderDocuments(root: string): Promise<RenderedDocuments> {
  const help = openHelp(root);
  const renderBlock = buildRenderer(root, help);
  const render = async (path: string, renderText: (before: string) => string | Promise<string>) => {
    const file = join(root, path);
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const options = { ...(await resolveConfig(file)), filepath: file };
    return { path, before, text: await format(await renderText(before), options) };
  };
  const { reports, faults } = reportApis(root);
  const pages = await Promise.all(
    listPages(root).map((path) => render(path, (before) => replaceBlocks(before, renderBlock))),
  );
  const files = await Promise.all(
    [...renderJsonSchemas(), ...reports].map(([path, text]) => render(path, () => text)),
  );
  const shown = pages.flatMap(({ text }) => listBlocks(text));
  return {
    documents: [...pages, ...files],
    faults: [
      ...faults,
      ...commandFaults(listCommands(help), shown),
      ...jsonFaults(help, pages.find(({ path }) => path === JSON_PAGE)!.text),
    ],
  };
}

/** Lists the documents that can have generated blocks, relative to the workspace. */
function listPages(root: string): readonly string[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`);
  return ['README.md', 'packages/cli/README.md', 'packages/nx-plugin/README.md', ...pages.sort()];
}

const JSON_PAGE = 'docs/reference/json.md';

/** Finds commands with `--json` whose document the page on JSON does not have. */
function jsonFaults(help: Help, page: string): readonly string[] {
  return listCommands(help)
    .filter((command) => /^ {2}--json /m.test(help(command.split(' '))))
    .map((command) => command.replace(/^manage-migrations /, ''))
    .filter((command) => !page.includes(`\`${command}\``))
    .map((command) => `${JSON_PAGE}: expected the document of \`${command} --json\``);
}

/** Finds commands whose help is on no page, or on several. */
function commandFaults(commands: readonly string[], blocks: readonly string[]): readonly string[] {
  return commands.flatMap((command) => {
    const count = blocks.filter((block) => block === `help ${command}`).length;
    return count === 1
      ? []
      : [
          `docs/reference/: expected one block "<!-- generated: help ${command} -->", found ${count}`,
        ];
  });
}
