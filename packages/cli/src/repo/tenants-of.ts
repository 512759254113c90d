import { ConfigError, type SourceGroup } from '@cdc-migrations/config';
import type { MigrationSet } from '@cdc-migrations/table-defs';

/**
 * Returns the schemas that `{{SCHEMA}}` stands for in a set: the customers of its source group (db-per-tenant) or its
 * services (db-shared).
 *
 * @throws ConfigError if the source group is missing or its pattern differs from that of the snapshots
 */
export function tenantsOf(
  set: MigrationSet,
  sourceGroups: readonly SourceGroup[],
): readonly string[] {
  const group = sourceGroups.find(({ name }) => name === set.sourceGroup);
  if (!group) {
    const message = `unknown source group "${set.sourceGroup}" of ${set.name}`;
    throw new ConfigError([{ at: { file: 'source-groups.yaml', keys: [] }, message }]);
  }
  if (group.pattern !== set.pattern) {
    const message =
      `pattern is ${group.pattern}, and the snapshots in generated/schemas/ were taken as ${set.pattern}; ` +
      'cdc manage-migrations schema-docs takes them again';
    throw new ConfigError([
      { at: { file: group.at.file, keys: [...group.at.keys, 'pattern'] }, message },
    ]);
  }
  return set.pattern === 'db-shared' ? set.services : group.sources.map(({ name }) => name);
}
