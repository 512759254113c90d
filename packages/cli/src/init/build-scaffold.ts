import { posix } from 'node:path';
import { renderGithubWorkflow } from './github-workflow.ts';
import { renderSinkGroups, renderSourceGroups } from './group-files.ts';
import type { ScaffoldFile, ScaffoldOptions } from './scaffold-options.ts';
import { renderColumnTemplates, renderExampleSnapshot, renderService } from './service-files.ts';

const GITATTRIBUTES = `# The same bytes on every machine: checksums and caches depend on them.
* text=auto eol=lf
generated/** linguist-generated
migrations/** linguist-generated
migrations/**/manual/** -linguist-generated
migrations/**/after/** -linguist-generated
migrations/**/repeatable/** -linguist-generated
`;

const GITIGNORE = `# The embedded PostgreSQL.
.cdc/
# Packages, and the values of variables, which are secrets.
node_modules
.env
.env.*
`;

/** Builds the files of a new implementation repo, ready for `generate`. */
export function buildScaffold(options: ScaffoldOptions): readonly ScaffoldFile[] {
  const snapshot = renderExampleSnapshot(options);
  const inRepo = (
    path: string,
    text: string,
    ifThere: ScaffoldFile['ifThere'] = 'refuse',
  ): ScaffoldFile => ({ path: posix.join(options.folder, path), text, ifThere });
  const yaml = (path: string, schema: string, text: string) =>
    inRepo(path, `${schemaComment(options, path, schema)}${text}`);
  return [
    yaml('source-groups.yaml', 'source-groups', renderSourceGroups(options)),
    yaml('sink-groups.yaml', 'sink-groups', renderSinkGroups(options)),
    yaml(`services/${options.service}.yaml`, 'service', renderService(options)),
    yaml(
      'services/_schemas/column-templates.yaml',
      'column-templates',
      renderColumnTemplates(options),
    ),
    inRepo(snapshot.path, snapshot.text),
    inRepo('.gitattributes', GITATTRIBUTES, 'add-lines'),
    inRepo('.gitignore', GITIGNORE, 'add-lines'),
    ...(options.ci === 'github'
      ? [
          {
            path: '.github/workflows/cdc-migrations.yml',
            text: renderGithubWorkflow(options),
            ifThere: 'keep' as const,
          },
        ]
      : []),
  ];
}

/** Renders the comment that gives editors the schema of a file, in the form of yaml-language-server. */
function schemaComment({ folder }: ScaffoldOptions, path: string, schema: string): string {
  const file = `node_modules/@cdc-migrations/cli/dist/schemas/${schema}.schema.json`;
  const up = posix.relative(posix.dirname(posix.join(folder, path)), '.');
  return `# yaml-language-server: $schema=${posix.join(up, file)}\n`;
}
