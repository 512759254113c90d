/** Writes SQL in addition to the generated SQL. Any name is quoted, and no name is truncated by PostgreSQL. */
import { buildSqlFile, quoteIdentifier, quoteQualified, shortName } from '@cdc-migrations/sql-text';

const READER = 'reporting "nightly"';
const tables = ['Actor', 'DistriktKontorTiltakTilbydtPersonligOppfølging'];

const body = tables
  .map((table) => {
    const view = quoteQualified('reporting', shortName(`current_rows_of_${table}`));
    return (
      `CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${quoteQualified('public', table)};\n` +
      `GRANT SELECT ON ${view} TO ${quoteIdentifier(READER)};\n`
    );
  })
  .join('\n');
console.log(buildSqlFile('migrations/manual/0001-views.sql', { target: 'reporting' }, body).text);
