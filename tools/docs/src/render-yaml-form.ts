import { renderYaml } from '@cdc-migrations/generated-file';

/** The form of the YAML that we write, by an example. */
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
