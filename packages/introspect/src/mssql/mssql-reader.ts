import type { SourceReader } from '../source-reader.ts';
import { openMssql } from './open-mssql.ts';
import { readMssqlCatalogs, readMssqlFingerprints } from './read-mssql-catalogs.ts';

/** SQL Server 2016 and later, and servers compatible with it. */
export const MSSQL_READER: SourceReader = {
  read: async (source, selections, { timeoutMs, onEvent, unlessEqual, missing }) => {
    const session = await openMssql(source, timeoutMs);
    try {
      const fingerprints = await readMssqlFingerprints(session, selections);
      const fingerprintOf = (schema: string) => fingerprints.get(schema.toLowerCase());
      const isEqual = selections.every(({ schema }) => {
        const before = unlessEqual?.get(schema);
        return before !== undefined && before === fingerprintOf(schema);
      });
      if (isEqual) return undefined;
      const tables = selections.reduce((sum, selection) => sum + selection.tables.length, 0);
      onEvent({ kind: 'reading', database: source.database, tables });
      const catalogs = await readMssqlCatalogs(session, selections, missing);
      return catalogs.map(({ tables: read, ...head }) => {
        const fingerprint = fingerprintOf(head.schema);
        return { ...head, ...(fingerprint !== undefined && { fingerprint }), tables: read };
      });
    } finally {
      session.close();
    }
  },
};
