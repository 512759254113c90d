import { readManagement, type Management } from './read-management.ts';
import { renderCachingMatrix } from './render-caching-matrix.ts';
import { renderMetadataColumns, renderOperations, renderReservedNames } from './render-columns.ts';
import { renderConfigurationErrors, renderErrors, renderMessages } from './render-errors.ts';
import { renderExample } from './render-example.ts';
import { renderExitCodes } from './render-exit-codes.ts';
import { renderFile } from './render-file.ts';
import { type Help, openHelp, renderCommands, renderHelp } from './render-help.ts';
import { renderKeys, renderLeftAlone } from './render-keys.ts';
import { renderRelations, renderRoutines, renderSettings } from './render-management.ts';
import { renderPackages } from './render-packages.ts';
import { renderYamlForm } from './render-yaml-form.ts';
import {
  renderForms,
  renderInserts,
  renderMssqlTypes,
  renderPostgresTypes,
  renderTargetTypes,
  renderTypeNotes,
} from './render-types.ts';

/** Builds the renderer of blocks: the first word of a block says what it is, the others what of it. */
export function buildRenderer(
  root: string,
  help: Help = openHelp(root),
): (block: string) => string | Promise<string> {
  let management: Promise<Management> | undefined;
  const ofManagement = async (render: (management: Management) => string) =>
    render(await (management ??= readManagement(root)));
  const blocks: Readonly<Record<string, (rest: string) => string | Promise<string>>> = {
    keys: renderKeys,
    'keys-ignored': renderLeftAlone,
    'mssql-types': renderMssqlTypes,
    'postgres-types': renderPostgresTypes,
    'target-types': renderTargetTypes,
    'type-notes': renderTypeNotes,
    forms: renderForms,
    inserts: renderInserts,
    'metadata-columns': renderMetadataColumns,
    operations: renderOperations,
    'reserved-names': renderReservedNames,
    'management-tables': () => ofManagement((read) => renderRelations(read, 'table', 'type')),
    'management-views': () => ofManagement((read) => renderRelations(read, 'view')),
    'management-routines': () => ofManagement(renderRoutines),
    'management-settings': () => ofManagement(renderSettings),
    help: (command) => renderHelp(help, command),
    commands: () => renderCommands(help),
    'exit-codes': renderExitCodes,
    errors: renderErrors,
    messages: (kind) => renderMessages(root, kind),
    'configuration-errors': () => renderConfigurationErrors(root),
    packages: () => renderPackages(root),
    'caching-matrix': () => renderCachingMatrix(root),
    'yaml-form': renderYamlForm,
    file: (rest) => renderFile(root, rest),
    example: (rest) => renderExample(root, rest),
  };
  return (block) => {
    const [kind = '', ...rest] = block.split(' ');
    const render = blocks[kind];
    if (!render)
      throw new Error(`no such block: ${kind}; known: ${Object.keys(blocks).join(', ')}`);
    return render(rest.join(' '));
  };
}
