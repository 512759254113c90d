import type { ServicePart } from '../parse-service-part.ts';
import { splitTableName } from '../schemas/table-name.ts';

/** Reports tables of one sink and schema whose names differ only in case, whichever services they belong to. */
export function refuseSinkTableTwins(services: readonly ServicePart[]): void {
  const earlier = new Map<string, { readonly name: string; readonly file: string }>();
  for (const { draft, file, keys, report } of services) {
    for (const [sink, content] of Object.entries(draft?.sinks ?? {})) {
      for (const name of Object.keys(content?.tables ?? {})) {
        const { schema, table } = splitTableName(name);
        const id = JSON.stringify([sink, schema, table.toLowerCase()]);
        const first = earlier.get(id);
        if (!first) earlier.set(id, { name, file });
        if (!first || first.name === name) continue;
        const where = first.file === file ? '' : ` of ${first.file}`;
        const message = `"${name}" differs from "${first.name}"${where} only in case; rename one of the two`;
        report([...keys, 'sinks', sink, 'tables', name], message);
      }
    }
  }
}
