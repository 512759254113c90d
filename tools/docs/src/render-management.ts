import { code, markdownTable } from './markdown-table.ts';
import type { Management, ManagementObject } from './read-management.ts';

/** Renders objects of `cdc_management` of some kinds: purpose, shape, and privileges. */
export function renderObjects(
  { objects, comments }: Management,
  ...kinds: readonly ManagementObject['kind'][]
): string {
  return objects
    .filter(({ kind }) => kinds.includes(kind))
    .map((object) => {
      const comment = comments.get(object.name);
      if (!comment) throw new Error(`cdc_management.${object.name} has no comment in front of it`);
      return renderObject(object, codeNames(comment));
    })
    .join('\n');
}

function renderObject({ kind, name, shape, unlogged, granted }: ManagementObject, comment: string) {
  const isRoutine = kind === 'function' || kind === 'procedure';
  const facts = [
    ...(isRoutine || kind === 'type' ? [kind] : []),
    ...(unlogged ? ['unlogged'] : []),
    ...(granted ? ['`CDC_DB_USER`'] : []),
  ];
  const head = isRoutine ? code(name + shape) : `**${code(name)}**`;
  const about = `${head}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}: ${comment}`;
  return isRoutine ? `- ${about}` : `- ${about}\n  ${code(shape)}`;
}

/** Renders the settings with their initial values. */
export function renderSettings({ settings }: Management): string {
  return markdownTable(
    ['name', 'value', 'meaning'],
    settings.map(({ name, value, description }) => [
      code(name),
      code(value),
      codeNames(description),
    ]),
  );
}

/** Marks names with underscores as code, because Markdown uses underscores for emphasis. */
function codeNames(comment: string): string {
  return comment.replace(/(?<![\w`])[\w.]*\w_\w[\w.]*\w(?![\w`])/g, (word) => code(word));
}
