import { didYouMean, knownNames, type Draft, type Keys, type Report } from '@cdc-migrations/shape';
import { COLUMN_TEMPLATES_FILE } from '../config-files.ts';
import { schemaNameFault } from '../schema-name.ts';
import type { ServiceShape, SinkTableShape } from '../schemas/service.ts';
import { splitTableName } from '../schemas/table-name.ts';
import { checkRenames } from './check-renames.ts';

/** A sink table and the names that it may use; those are undefined where they could not be read. */
interface SinkTableUse {
  readonly service: string;
  /** Its key, `<schema>.<table>`. */
  readonly table: string;
  readonly sinkTable: Draft<SinkTableShape> | undefined;
  readonly sourceTables: NonNullable<Draft<ServiceShape>['source']>['tables'];
  readonly templates: readonly string[] | undefined;
}

/** Reports what is wrong with a table of a sink: its schema, its source, and keys that do not go together. */
export function checkSinkTable(use: SinkTableUse, keys: Keys, report: Report): void {
  const { service, table, sinkTable } = use;
  const { schema } = splitTableName(table);
  // A schema that is called as the service stands for its tenants, whose names are checked by themselves.
  const fault = table.includes('.') && schema !== service ? schemaNameFault(schema) : undefined;
  if (fault !== undefined) report(keys, fault);
  if (!sinkTable) return;
  checkFrom(use, sinkTable.from, [...keys, 'from'], report);
  checkStructure(sinkTable, keys, report);
  checkRenames(sinkTable, keys, report);
  checkTemplates(use, sinkTable, keys, report);
}

function checkFrom(
  { sourceTables }: SinkTableUse,
  from: string | undefined,
  keys: Keys,
  report: Report,
): void {
  if (from === undefined || !sourceTables || from in sourceTables) return;
  const hint = didYouMean(from, Object.keys(sourceTables)) || '; add it there';
  report(keys, `"${from}" is not in source.tables${hint}`);
}

function checkStructure(table: Draft<SinkTableShape>, keys: Keys, report: Report): void {
  const { target_exists: targetExists, replicate_structure: replicate } = table;
  if (targetExists === false && replicate === false) {
    const message =
      'a table that does not exist needs its structure; expected true, or target_exists: true';
    report([...keys, 'replicate_structure'], message);
  }
  if (targetExists === true && replicate === true) {
    const message =
      'a table that exists keeps its structure; expected false, or target_exists: false';
    report([...keys, 'replicate_structure'], message);
  }
  if (targetExists === false && 'columns' in table) {
    const message =
      'columns maps to a table that exists; expected target_exists: true, or no columns';
    report([...keys, 'columns'], message);
  }
}

function checkTemplates(
  { templates }: SinkTableUse,
  { column_templates: uses = [] }: Draft<SinkTableShape>,
  keys: Keys,
  report: Report,
): void {
  uses.forEach((use, index) => {
    const name = typeof use === 'string' ? use : use?.template;
    if (name === undefined || !templates || templates.includes(name)) return;
    const message = `unknown template "${name}" of ${COLUMN_TEMPLATES_FILE}; ${knownNames(name, templates)}`;
    report([...keys, 'column_templates', index], message);
  });
}
