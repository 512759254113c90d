import type { FindingCode } from '@cdc-migrations/introspect';
import type { ConnectionFailure } from '@cdc-migrations/session';

/** Cause of an error, and what to do. */
type Row = readonly [cause: string, solution: string];

/** Errors of a command by the name of their class, with the exit code that the command ends with. */
export const COMMAND_ERRORS = {
  CommandError: [
    2,
    'an option, a value or a file is wrong',
    'look up the [message](errors-messages.md)',
  ],
  ConfigError: [
    2,
    'the YAML files of the repo contain mistakes',
    'fix each mistake at the file and line that the message contains. See [Messages about the configuration](errors-configuration.md)',
  ],
  FileError: [
    2,
    'a generated file, a snapshot or a plan has invalid content',
    'run the command that the message contains. If the exit code is 6, the file was edited: restore it, or use `--force`',
  ],
  RepoPathError: [
    2,
    'a path or a link leads out of the repo',
    'use a path inside the repo, and remove links that lead out of it',
  ],
  MissingVariablesError: [
    2,
    'environment variables for a server are not set',
    'set the variables that the message lists',
  ],
  InvalidPortError: [
    2,
    'the environment variable for a port is not a number from 1 to 65535',
    'set it to the port of the server',
  ],
  CertificateFileError: [
    2,
    '`ca_file` of a target cannot be read, or contains no certificate',
    'set `ca_file` to a file with certificates in PEM format',
  ],
  CaFileError: [
    2,
    '`ca_file` of a source cannot be read, or contains no certificate',
    'set `ca_file` to a file with certificates in PEM format',
  ],
  TargetError: [
    2,
    'the target cannot be reached, or refused a statement',
    'look up the code in [Connections](#connections) or [SQLSTATE](#sqlstate)',
  ],
  NoConnectionError: [
    2,
    'a pooler provides only one connection',
    'increase the size of its pool (`pool_size`), or connect to PostgreSQL directly',
  ],
  NoBookkeepingError: [
    2,
    'the schema `cdc_management` is missing in the target, or is too old',
    'run `apply` first',
  ],
  HistoryError: [
    2,
    'the history in the target has rows that this version cannot read',
    'use the newer version that wrote the rows. If somebody changed the rows by hand, undo that change',
  ],
  StandbyError: [2, 'the target is a hot standby', 'connect to its primary'],
  EncodingError: [
    2,
    'the encoding of the database is not UTF8',
    "create the database with `TEMPLATE template0 ENCODING 'UTF8'`",
  ],
  RoleMissingError: [
    2,
    'the role of the sink pipeline does not exist',
    'create the role, or set `CDC_DB_USER` to an existing role and run `generate`',
  ],
  ForeignObjectsError: [
    2,
    '`apply` would create a schema or an object that exists already and belongs to another role',
    'drop or rename it, or run `apply` as its owner',
  ],
  UnsafeSchemaNameError: [
    2,
    'the name of a customer is not safe in SQL',
    'choose a name without quotes, backslashes, `$`, braces or control characters',
  ],
  PlaceholderError: [
    2,
    'a file for the whole database contains `{{SCHEMA}}`, or the placeholder is misspelled',
    'run `generate` again. For a hand-written file, see [the rules](changes.md#hand-written-files)',
  ],
  ManifestMissingError: [2, 'the repo has no generated files', 'run `generate`'],
  SeveralStatementsError: [
    2,
    'a file with `-- cdc: no-transaction` has several statements',
    'put each statement into a separate file',
  ],
  ClientCommandError: [
    2,
    'a hand-written file contains a psql command, or COPY with data',
    'use only SQL that the PostgreSQL server can run',
  ],
  FilesRefusedError: [
    2,
    'files do not match the manifest. If they were edited, the exit code is 6',
    'restore the files, or run `generate`',
  ],
  ManualFilesEditedError: [
    6,
    'a file in `manual/` or `after/` was changed after it had been applied',
    'undo the edit, and put the new SQL into a new file',
  ],
  LockNotObtainedError: [
    4,
    'another `apply` is running on the target',
    'wait until it ends. The message names the session',
  ],
  LockLostError: [
    3,
    'the connection that held the lock of `apply` was lost',
    'run `apply` again. It skips applied files',
  ],
  UnknownTableError: [
    2,
    'the target does not have the table given in `--table`',
    'write `<Table>` or `<schema>.<Table>`, as in the output of `status`',
  ],
  NotDefinedError: [
    2,
    'the configuration does not contain the new name that was passed to `rename`',
    'change the name in the configuration, then run `generate`',
  ],
  StillDefinedError: [
    2,
    'the configuration still contains the table or customer that you want to retire',
    'remove it from the configuration, then run `generate`',
  ],
  ServerUnreachableError: [
    2,
    'the source cannot be reached',
    'check host and port in source-groups.yaml. See [Connections](#connections)',
  ],
  ConnectionLostError: [
    2,
    'the connection to the source was lost',
    'run the command again. If it fails again, read the log of the server',
  ],
  SourceTimeoutError: [
    2,
    'the source did not answer in time',
    'run the command again, or set `--timeout`',
  ],
  LoginRefusedError: [
    2,
    'the source refused the user or the password',
    'fix the environment variables for the server',
  ],
  UnknownDatabaseError: [
    2,
    'the source has no such database, or the login cannot open it',
    'fix the name of the database in source-groups.yaml, or grant the login access',
  ],
  UntrustedCertificateError: [
    2,
    'the certificate of the source is not trusted',
    'set `ca_file` to the certificate of its certificate authority',
  ],
  EncryptionError: [
    2,
    'the source and the command cannot agree on TLS',
    'enable TLS 1.2 on the server, or change `encrypt` or `sslmode` in the configuration',
  ],
  PermissionDeniedError: [
    2,
    'the login of the source does not have a required privilege',
    'grant the privilege that the message names',
  ],
  EmptyDatabaseError: [
    2,
    'the login cannot see any table in the source',
    'check the name of the database. In SQL Server, grant VIEW DEFINITION',
  ],
  MissingTablesError: [
    2,
    'the services name tables that the source does not have, or that the login cannot see',
    'fix the names, or grant the login access',
  ],
  SourceChangedError: [
    2,
    'the structure of the source changed while it was read',
    'run the command again',
  ],
  SourceQueryError: [2, 'the source refused a query', "read the server's error in the message"],
  CaptureDisabledError: [
    3,
    'change data capture is disabled in a source database',
    'run `enable-cdc`',
  ],
  SignalNameError: [
    2,
    'the name of a table contains characters that a Debezium signal cannot express',
    'omit this table, and send the signal for the other tables',
  ],
} as const satisfies Readonly<Record<string, readonly [exitCode: number, ...Row]>>;

/** Errors that no command prints: an abstract one, and those that another error replaces. */
export const INTERNAL_ERRORS = [
  'SourceError',
  'PlainServerError',
  'MssqlSelectionError',
  'MssqlRowsError',
] as const;

/** Reasons of failed connections, with codes of Node and of drivers for each. */
export const CONNECTIONS: Readonly<
  Record<ConnectionFailure, readonly [codes: readonly string[], ...Row]>
> = {
  refused: [
    ['ECONNREFUSED'],
    'connection refused: no server listens on this port',
    'start the server, or fix host and port',
  ],
  'unknown host': [
    ['ENOTFOUND'],
    'the host name is unknown',
    'fix the host name, or check the DNS server',
  ],
  'lookup failed': [
    ['EAI_AGAIN'],
    'the DNS server does not answer',
    'try again, or check the DNS server',
  ],
  'no route to host': [['EHOSTUNREACH'], 'no route to the host', 'check VPN, firewall and routes'],
  'no route to network': [
    ['ENETUNREACH'],
    'no route to the network of the host',
    'check VPN and routes',
  ],
  timeout: [
    ['ETIMEDOUT', 'CONNECT_TIMEOUT'],
    'the server did not answer in time, often because a firewall drops packets',
    'check the firewall. For a slow server, set `--timeout`',
  ],
  lost: [
    ['ECONNRESET', 'EPIPE', 'CONNECTION_CLOSED'],
    'the server or a pooler closed the connection',
    'run the command again. If it fails again, read the log of the server',
  ],
  'no encryption offered': [
    ['NO_TLS'],
    'the server does not support TLS, so the command sent no login',
    'enable TLS on the server, or disable TLS for this server in the YAML',
  ],
  'encryption demanded': [
    ['EENCRYPT'],
    'the server accepts only connections with TLS',
    'remove `sslmode: disable` or `encrypt: false`',
  ],
  'encryption failed': [
    ['EPROTO'],
    'the server and the command support no common TLS version',
    'configure TLS 1.2 and a valid certificate on the server',
  ],
  'untrusted certificate': [
    ['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    'the certificate is not trusted, has expired, or is for another host',
    'set `ca_file` to the certificate of its certificate authority, or renew the certificate',
  ],
};

/**
 * Causes of messages by a part that does not change. Many messages say what to do. They have an entry only if they do not
 * say their cause, and it has no way out. The first entry that fits applies.
 */
export const MESSAGES: Readonly<Record<string, readonly [cause: string, solution?: string]>> = {
  'cannot be written': [
    'the folder does not exist or is read-only, or the disk is full',
    'choose another path, or fix the permissions',
  ],
  'cannot be read': [
    'the file does not exist, or its permissions forbid reading',
    'fix the path or the permissions',
  ],
  'nested too deeply': ['the YAML has thousands of levels', 'reduce the nesting'],
  'invalid YAML': ['the file is not YAML', 'fix the line that the message names'],
  'expected --table or --customer': ['a required option is missing', 'add one of the options'],
  'expected --out <file>': ['a required option is missing', 'add one of the options'],
  'expected INSERT statements': [
    'the file contains none of these',
    'name the file that contains the INSERTs of the pipeline',
  ],
  'expected a customer_id': [
    'the configuration has no `customer_id` for this customer',
    'add it in source-groups.yaml',
  ],
  'git is not installed': ['the command reads a commit with git', 'install git'],
  'of the source is not in': [
    'the column is not replicated, for the reason that the message contains',
    'to replicate it, change `ignore_columns` or `include_columns`',
  ],
  'squawk-cli failed': [
    'the linter ended with an error',
    'read its output in the message. If there is no output, reinstall squawk-cli',
  ],
  '--listen': [
    'the address is in use, or this machine does not have it',
    'choose another host or port',
  ],
  'a schema name is empty': ['the name has no characters', 'choose a name'],
  'the name "…" has': ['the name contains an invisible character', 'choose another name'],
  'reload: no table of': [
    'this environment has no table or customer with this name',
    'fix `--table` or `--customer`',
  ],
  'is read without Debezium': ['only Debezium reads signals'],
  'is not a generated file': ['a file has the name of a generated file, but not the header of one'],
  'this file is not generated': [
    'a file has the name of a snapshot, but not the header of a generated file',
  ],
  'no table of the service': [
    'none of the services in `--service` has the table in `--table`',
    'select a table of one of these services, or omit one of the two options',
  ],
  'needs --env': ['the option works on one environment at a time', 'add `--env`'],
  'need --rotate': ['the options work only with a rotation of capture instances', 'add `--rotate`'],
  'cannot be used together': ['the options contradict each other', 'omit one of them'],
  ' sources, found': ['the options do not work with this type of source', 'omit the options'],
  'is for SQL Server sources': [
    'the option does not work with this type of source',
    'omit the option',
  ],
  'initdb failed': [
    'the bundled PostgreSQL could not create its files',
    'read the output in the message, and check the disk and the permissions of the folder',
  ],
  'has locked the file': ['another command is using the bundled PostgreSQL'],
  'changes to … may have been lost': [
    'the source removed unread changes or was restored, or a new snapshot is required',
  ],
  'may be lost': ['a crash emptied the staging table during the reload'],
  'refused events, which may belong': [
    '`reload finish` could remove the rows that these events belong to',
  ],
  'event has no value': [
    'the Kafka message has no value, for example because it is a Kafka tombstone',
    'discard the event, and configure the pipeline to skip tombstones',
  ],
  'without a row': [
    'the Debezium envelope has no `before` or `after`',
    'discard the event, or fix the connector',
  ],
  'has no column …': [
    'the event has a field that the staging table does not have',
    'apply newer files and replay the event, or configure the pipeline to omit the field',
  ],
  'isolation level read committed': [
    'the function must see the results of merges that end while it waits',
    'call the function in a transaction with this isolation level',
  ],
  'found neither': [
    'the target has neither the old nor the new name',
    'check that this is the right target. If it is, apply its files',
  ],
  'table ……': [
    'the change could lose values, would rewrite a large table, or affects a column that another object uses',
    'follow the hint. It names the option `--allow-rewrite`, a [manual file](changes.md#manual-files) or a statement',
  ],
  'is not merged here': ['no staging file of the table has been applied'],
  'staging table … still exists': [
    'the function removes bookkeeping only if the staging table has been dropped',
  ],
  'have a value in': [
    'a manual file narrows a type, and stored values do not fit',
    'change these rows first, or convert their values in the manual file. If the rows are staged, merge them first',
  ],
  'have no "…"': [
    'a manual file makes a column NOT NULL',
    'in the manual file, fill the column before the statement that checks it',
  ],
  'have NULL in the key': [
    'a manual file changes the key',
    'in the manual file, fill the columns before the statement that checks them',
  ],
  'are duplicates': [
    'a manual file changes the key',
    'in the manual file, remove the duplicates before the statement that checks the key',
  ],
  'expected ': ['the value is not valid', 'correct the value'],
};

/** SQLSTATEs of this project, and those of PostgreSQL that users see most often. */
export const SQLSTATES = {
  CD004: [
    'another session is applying files to the same schema',
    'wait until it ends, then run `apply` again',
  ],
  CD005: [
    'the change could lose values or events, or the files are older than the target',
    'look up the [message](errors-messages.md#messages-of-sql)',
  ],
  CD007: [
    'another session applied the same file at the same time',
    'nothing: the command counts the file as applied',
  ],
  CD009: [
    'a file would create an object that exists already and belongs to another role',
    'drop or rename it, or run `apply` as its owner',
  ],
  '28P01': ['the password is wrong', 'fix the environment variable for the password'],
  '3D000': [
    'the database does not exist',
    'create the database, or fix its name in sink-groups.yaml',
  ],
  '40001': ['two transactions changed the same row', 'nothing: the merge retries'],
  '42501': [
    'a privilege is missing',
    'run `apply` as the owner of the database. `apply` grants the privileges of the sink role',
  ],
  '53100': ['the disk is full', '[free space](../on-call.md#the-disk-of-the-target-is-full)'],
  '55P03': [
    'a lock was not obtained in time',
    'try again, or end the session that holds the lock. The message names the session',
  ],
  '57014': [
    'the statement was cancelled by a user or a timeout',
    'increase `statement_timeout`, or run the command again',
  ],
} as const satisfies Readonly<Record<string, Row>>;

/** SQLSTATEs that never leave the database: they undo a part of a transaction. */
export const INTERNAL_SQLSTATES = ['CD000', 'CD008'] as const;

/** Findings of `enable-cdc`. */
export const FINDINGS: Readonly<Record<FindingCode, Row>> = {
  'express-edition': [
    'Express Edition has no change data capture',
    'move the database to Standard Edition',
  ],
  'database-read-only': ['the database is read-only', '`ALTER DATABASE … SET READ_WRITE`'],
  'no-sysadmin': [
    'only a sysadmin can enable capture for a database',
    'have a sysadmin run the script that `--emit-sql` prints',
  ],
  'no-owner': ['the login is not db_owner', '`ALTER ROLE db_owner ADD MEMBER …`'],
  'cdc-name-taken': ['a schema or user `cdc` exists', 'rename or drop it'],
  'agent-stopped': [
    'SQL Server Agent is not running, so nothing is captured, and the transaction log grows',
    'start SQL Server Agent',
  ],
  'agent-unknown': ['the login cannot see whether SQL Server Agent is running', 'ask the DBA'],
  'no-table': [
    'the database does not have the table, or the login cannot see it',
    'fix the name, or grant access',
  ],
  'no-column': [
    'a column of the definition is missing in the table',
    'run `schema-docs` and `generate`',
  ],
  'memory-optimized': [
    'memory-optimized tables cannot be captured',
    'remove the table from the service',
  ],
  columnstore: [
    'a clustered columnstore index prevents capture',
    'remove the table from the service, or drop the index',
  ],
  'two-instances': [
    'the table already has two capture instances, the maximum, and both are missing columns',
    'drop the instance that no consumer reads',
  ],
  'other-columns': [
    'the capture instance is missing columns',
    'use `--rotate` or `--second-instance`',
  ],
  'no-key': [
    'the table has no key',
    "name the key columns in `key_columns`, and in Debezium's `message.key.columns`",
  ],
  'computed-column': ['a computed column is always NULL in events', 'put it into `ignore_columns`'],
  'type-not-carried': [
    'connectors do not send columns of this type',
    'put the column into `ignore_columns`, or store its values as text at the source',
  ],
  collation: [
    'the collation of a text column differs from the collation of the database',
    'change the type to nvarchar, or use `--accept collation`',
  ],
  'large-object': [
    'writes of large values to the source table will fail',
    'increase `max text repl size`, or use `--accept large-object`',
  ],
  standby: ['the server is a standby', 'connect to its primary'],
  'wal-level': ['`wal_level` is not `logical`', 'set it to `logical`, and restart the server'],
  'no-create': [
    'the login cannot create a publication',
    'have the owner of the database run the script that `--emit-sql` prints',
  ],
  'publication-owner': [
    'the publication belongs to another role',
    'have this role run the script that `--emit-sql` prints',
  ],
  'no-table-owner': [
    'the table belongs to another role',
    'have its owner run the script that `--emit-sql` prints',
  ],
  'unlogged-table': ['unlogged and temporary tables have no WAL', '`ALTER TABLE … SET LOGGED`'],
  'row-filter': [
    'the publication has a row filter, so some rows are missing',
    '`ALTER PUBLICATION … DROP TABLE`, then run `enable-cdc` again',
  ],
  'column-list': [
    'the publication has a column list, so some columns are missing',
    '`ALTER PUBLICATION … DROP TABLE`, then run `enable-cdc` again',
  ],
  'slot-taken': [
    'a slot with this name exists, but is not the expected one',
    'choose a different `--slot-name`',
  ],
  'slot-lost': [
    'the slot has lost WAL, so changes are missing',
    'drop the slot, and take a new snapshot',
  ],
  'no-replication': [
    'the login does not have the REPLICATION privilege',
    '`ALTER ROLE … REPLICATION`',
  ],
  'no-free-slot': [
    'all replication slots are in use',
    'drop a slot, or increase `max_replication_slots`',
  ],
  'no-free-sender': ['all WAL senders are in use', 'increase `max_wal_senders`'],
  'no-select': ['the login cannot read the table', '`GRANT SELECT`'],
  'row-security': ['row security policies hide rows from the login', '`ALTER ROLE … BYPASSRLS`'],
  'extra-table': [
    'the publication contains a table without a definition',
    'use `--accept extra-table`, which removes the table from the publication',
  ],
  'slot-inactive': [
    'no connector reads the slot, and the server retains WAL for it',
    'start the connector, or drop the slot',
  ],
  'wal-unlimited': ['a slot can retain WAL until the disk is full', 'set `max_slot_wal_keep_size`'],
  'all-tables': [
    'the publication includes all tables of the database',
    'give each table a replica identity',
  ],
  'autocreate-mode': [
    'the login does not own the publication or a table',
    'set `publication.autocreate.mode` to `disabled` in the connector',
  ],
  'partition-identity': [
    'partitions that are added later have no replica identity',
    'run the command again after each new partition',
  ],
};

/** Codes of `manage-pipelines check`. */
export const MISMATCHES = {
  quoting: ['a name is not quoted as PostgreSQL requires', 'quote the name'],
  'unknown table': [
    'no staging table has this name',
    'fix the name, or add the table to the service',
  ],
  'final table': ['the INSERT writes to the final table', 'write to the staging table'],
  'unknown schema': ['the sink does not have this schema', 'fix the schema'],
  'no columns': [
    'the INSERT does not name its columns',
    'list the columns in the INSERT, because their order can change',
  ],
  computed: ['the column is computed at the source', 'omit it'],
  ignored: ['the configuration ignores the column', 'omit it, or remove it from `ignore_columns`'],
  'named otherwise': [
    'the column has a different name in PostgreSQL',
    'use the name that the message contains',
  ],
  case: ['the name differs only in case', 'use the name that the message contains'],
  letters: [
    'the name has different letters, such as `o` for `ø`',
    'use the name that the message contains, or set `column_names: ascii`',
  ],
  'unknown column': [
    'the staging table does not have the column',
    'fix the name, or run `schema-docs` and `generate`',
  ],
  duplicate: ['the INSERT lists a column twice', 'remove one of the two'],
  missing: [
    'the INSERT does not list a required column',
    'add the column, or put it into `ignore_columns`',
  ],
  count: ['the INSERT has more or fewer values than columns', 'add or remove values'],
  form: [
    'the format of the value does not match the column',
    'change the pipeline, or the settings under `pipeline`',
  ],
  conflict: [
    'the INSERT has ON CONFLICT',
    'remove ON CONFLICT, because staging tables accept duplicates',
  ],
} as const satisfies Readonly<Record<string, Row>>;

/** Reasons of dead letters: a part that does not change, as the merge writes it. */
export const DEAD_LETTERS: readonly (readonly [reason: string, ...Row])[] = [
  [
    'no stream position',
    'the event has no partition or no offset',
    'make the pipeline fill `__kafka_partition` and `__kafka_offset`',
  ],
  ['is not between 0 and', 'the offset is out of range', 'fix the pipeline'],
  ['is below 0', 'the generation is negative', 'fix the pipeline'],
  [
    'is longer than 512 bytes',
    'the name of the source database or table is too long',
    'fix the pipeline',
  ],
  [
    'unknown operation',
    'the value of `__cdc_operation` is unknown',
    'use one of the [valid operations](types.md#metadata-columns)',
  ],
  ['is a message, which has no row', 'the event is a PostgreSQL logical message', 'discard it'],
  [
    'is a TRUNCATE, which does not empty this table',
    'the source table was truncated',
    'set `truncate: empty`, or [reload the table](../reload.md)',
  ],
  [
    'a TRUNCATE cannot be merged',
    'the topic of the table has several partitions',
    'use a topic with one partition, then [reload the table](../reload.md)',
  ],
  [
    'the table has no key',
    'the event updates or deletes a row of a table without a key',
    'set `key_columns`',
  ],
  [
    'missing key column',
    'the event has no value for a column of the key',
    'fix the message key in the connector, or fix the pipeline',
  ],
  [
    'violates not-null constraint',
    'a NOT NULL column has no value',
    'fix the payload. If an earlier event contains the value and has not arrived, deliver and merge that event first. Then replay',
  ],
  [
    'value too long for type',
    'the text is longer than the column',
    'widen the type with an override, then replay',
  ],
  [
    'out of range',
    'the value is too large for the column',
    'widen the type with an override, then replay',
  ],
  [
    'numeric field overflow',
    'the number has more digits than the column',
    'widen the type with an override, then replay',
  ],
  ['expected ISO 8601', 'the format of a time is not ISO 8601', 'fix the pipeline'],
  [
    'cannot be staged',
    'the staging table refuses a value of a replayed event',
    'fix the value in `payload`, then replay the event',
  ],
];
