import { leftAlone } from '@cdc-migrations/shape';

/** Keys of other parts of the pipeline. They are accepted everywhere and ignored. */
export const IGNORED_KEYS = {
  server_group: leftAlone,
  reference: leftAlone,
  topology: leftAlone,
  broker_topology: leftAlone,
  kafka_bootstrap_servers: leftAlone,
  extraction_pattern: leftAlone,
  extraction_patterns: leftAlone,
  source_name_map: leftAlone,
  source_custom_keys: leftAlone,
  env_mappings: leftAlone,
  table_count: leftAlone,
  inherits: leftAlone,
  inherited_sources: leftAlone,
  source_ref: leftAlone,
  database_include_patterns: leftAlone,
  value_source: leftAlone,
  applies_to: leftAlone,
  unique: leftAlone,
  execution_stage: leftAlone,
};
