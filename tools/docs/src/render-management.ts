import { code, markdownTable } from './markdown-table.ts';
import type { Management, ManagementObject } from './read-management.ts';

/** Routines that the documents tell the owner of a target to call. */
const FOR_OWNER = [
  'begin_reload',
  'clean_up_schema',
  'clean_up_table',
  'count_reload',
  'end_reload',
  'find_unread',
  'reload_problem',
  'replay_dead_letters',
  'replay_refused_events',
  'retire_table',
  'sweep_unread',
];

/** Renders the routines that users may call. The others are internal. */
export function renderRoutines(management: Management): string {
  const routines = management.objects.filter(isRoutine);
  const unknown = FOR_OWNER.filter((owned) => !routines.some(({ name }) => name === owned));
  if (unknown.length > 0) throw new Error(`cdc_management has no ${unknown.join(', ')}`);
  const callable = routines.filter(({ name, granted }) => granted || FOR_OWNER.includes(name));
  return render(callable, management);
}

/** Renders relations or types of `cdc_management`: purpose, columns, and privileges. */
export function renderRelations(
  management: Management,
  ...kinds: readonly ManagementObject['kind'][]
): string {
  const relations = management.objects.filter(({ kind }) => kinds.includes(kind));
  return render(relations, management);
}

function render(objects: readonly ManagementObject[], { comments }: Management): string {
  return objects
    .map((object) => {
      const comment = comments.get(object.name);
      if (!comment) throw new Error(`cdc_management.${object.name} has no comment in front of it`);
      return renderObject(object, codeNames(comment));
    })
    .join('\n');
}

function isRoutine({ kind }: ManagementObject): boolean {
  return kind === 'function' || kind === 'procedure';
}

function renderObject(object: ManagementObject, comment: string): string {
  const { kind, name, shape, unlogged, granted } = object;
  const isCallable = isRoutine(object);
  const facts = [
    ...(isCallable || kind === 'type' ? [kind] : []),
    ...(unlogged ? ['unlogged'] : []),
    ...(granted ? ['`CDC_DB_USER`'] : []),
  ];
  const head = isCallable ? code(name + shape) : `**${code(name)}**`;
  const about = `${head}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}: ${comment}`;
  return isCallable ? `- ${about}` : `- ${about}\n  ${code(shape)}`;
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
