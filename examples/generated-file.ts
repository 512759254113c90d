/** Writes a generated file for review. Edits by hand are detected. */
import { buildGeneratedFile, parseYaml, renderYaml, stateOf } from '@cdc-migrations/generated-file';

const owners = { owners: { Actor: ['team-crm'], Avtale: ['team-crm', 'team-case'] } };
const file = buildGeneratedFile('generated/owners.yaml', { source: 'wiki' }, renderYaml(owners, 2));
console.log(file.text);

const edited = file.text.replace('team-case', 'team-ærlig');
console.log(stateOf(file.path, file.text), stateOf(file.path, edited));
console.log(JSON.stringify(parseYaml(file.text)));
