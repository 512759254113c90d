import { renderYaml } from '@cdc-migrations/generated-file';

/** Renders an example of our YAML. */
export function renderYamlForm(): string {
  const text = renderYaml({
    key: 'text',
    list: ['a', 'b'],
    mapping: { key: 1, list: ['a', 'b'], deeper: { 'a key': null } },
    items: [{ name: 'a', nullable: false }],
    empty: [],
  });
  return `\`\`\`yaml\n${text}\`\`\``;
}
