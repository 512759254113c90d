import type { FindingCode } from '@cdc-migrations/introspect';
import type { ConnectionFailure } from '@cdc-migrations/session';

/** Cause of an error, and what to do. */
type Row = readonly [cause: string, wayOut: string];

/** Errors of a command by the name of their class, with the exit code that the command ends with. */
export const COMMAND_ERRORS = {
  CommandError: [
    2,
    'an option, a value or a file is wrong',
    'look up the [message](errors-messages.md)',
  ],
  ConfigError: [
    2,
    'mistakes in the YAML of the repo',
    'fix each at its file and line: [configuration messages](errors-configuration.md)',
  ],
  FileError: [
    2,
    'a generated file, snapshot or plan cannot be read as what it should be',
    'run the command that the message names; with exit code 6 the file was edited: restore it, or use `--force`',
  ],
  RepoPathError: [
    2,
    'a path or a link leads out of the repo',
    'use a path within the repo, without links',
  ],
  MissingVariablesError: [
    2,
    'variables of a server are not set',
    'set the variables that the message names',
  ],
  InvalidPortError: [
    2,
    'the variable of a port has no number from 1 to 65535',
    'set it to the port of the server',
  ],
  CertificateFileError: [
    2,
    '`ca_file` cannot be read, or has no certificate',
    'name a file with certificates in PEM format',
  ],
  CaFileError: [2, 'the same, for a source', 'name a file with certificates in PEM format'],
  TargetError: [
    2,
    'the target cannot be reached, or refuses a statement',
    'look up the reason or the SQLSTATE below',
  ],
  NoConnectionError: [
    2,
    'a pooler gives one connection only',
    'give its pool more connections (`pool_size`), or connect to PostgreSQL directly',
  ],
  NoBookkeepingError: [2, 'nothing was ever applied to the target', 'run `apply` first'],
  HistoryError: [
    2,
    'the history in the target has rows in another form',
    'use the newer version that wrote them, or undo the change by hand',
  ],
  StandbyError: [2, 'the target is a hot standby', 'connect to its primary'],
  EncodingError: [
    2,
    'the database does not have the encoding UTF8',
    "create it with `TEMPLATE template0 ENCODING 'UTF8'`",
  ],
  RoleMissingError: [
    2,
    'the role of the sink pipeline does not exist',
    'create it, or generate with another `CDC_DB_USER`',
  ],
  ForeignObjectsError: [
    2,
    'a schema or an object with a name of ours belongs to another role',
    'drop or rename it, or apply as a role that owns it',
  ],
  UnsafeSchemaNameError: [
    2,
    'the name of a customer cannot be put into SQL',
    'choose a name without quotes, `$`, braces and control characters',
  ],
  PlaceholderError: [
    2,
    'a file has `{{SCHEMA}}` where no customer is',
    'generate again; in a file of your own, see [files of users](changes.md#files-of-users)',
  ],
  ManifestMissingError: [2, 'the repo has no generated files', 'run `generate`'],
  SeveralStatementsError: [
    2,
    'a file with `-- cdc: no-transaction` has several statements',
    'put each statement into a file of its own',
  ],
  ClientCommandError: [
    2,
    'a file of users has a command of psql, or COPY with data',
    'use SQL that PostgreSQL runs by itself',
  ],
  FilesRefusedError: [
    2,
    'files do not match the manifest, or were edited (exit code 6)',
    'restore them, or run `generate`',
  ],
  ManualFilesEditedError: [
    6,
    'a file of `manual/` or `after/` was changed after it was applied',
    'undo the edit, and put the new text into a new file',
  ],
  LockNotObtainedError: [
    4,
    'another `apply` works on the target',
    'wait for it; the message names its session',
  ],
  LockLostError: [
    3,
    'the connection that held the lock of `apply` was lost',
    'apply again: what was applied is recorded',
  ],
  UnknownTableError: [
    2,
    '`--table` names a table that the target does not have',
    'use `<Table>` or `<schema>.<Table>` as `status` shows it',
  ],
  NotDefinedError: [
    2,
    '`rename` names a table or customer that the configuration does not have',
    'change the configuration, then generate',
  ],
  StillDefinedError: [
    2,
    '`retire` names a table or customer that is still in the configuration',
    'remove it there, then generate',
  ],
  ServerUnreachableError: [
    2,
    'the source cannot be reached',
    'check host and port in source-groups.yaml: [connections](#connections)',
  ],
  ConnectionLostError: [
    2,
    'the connection to the source was lost',
    'run the command again; look at the log of the server',
  ],
  SourceTimeoutError: [
    2,
    'the source did not answer in time',
    'run the command again, or set `--timeout`',
  ],
  LoginRefusedError: [2, 'the source refused user or password', 'fix the variables of the server'],
  UnknownDatabaseError: [
    2,
    'the source has no such database, or the login cannot open it',
    'fix its name in source-groups.yaml, or grant access',
  ],
  UntrustedCertificateError: [
    2,
    'the certificate of the source is not trusted',
    'name its authority with `ca_file`',
  ],
  EncryptionError: [
    2,
    'source and command do not agree on TLS',
    'set up TLS 1.2 on the server, or `encrypt` and `sslmode` of the server',
  ],
  PermissionDeniedError: [
    2,
    'the login of the source is missing a privilege',
    'grant what the message names',
  ],
  EmptyDatabaseError: [
    2,
    'the login sees no table in the source',
    'check the database; in SQL Server, grant VIEW DEFINITION',
  ],
  MissingTablesError: [
    2,
    'the source does not have tables that the services name',
    'fix the names, or grant the login access',
  ],
  SourceChangedError: [
    2,
    'the structure of the source changed while it was read',
    'run the command again',
  ],
  SourceQueryError: [2, 'the source refused a query', 'read the message of the server'],
  CaptureDisabledError: [3, 'change data capture is off in a source database', 'run `enable-cdc`'],
  SignalNameError: [
    2,
    'a name cannot be written in a signal of Debezium',
    'send the signal without that table',
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
    'start the server; check host and port',
  ],
  'unknown host': [['ENOTFOUND'], 'the name of the host is unknown', 'fix the host; check the DNS'],
  'lookup failed': [['EAI_AGAIN'], 'the DNS does not answer', 'try again; check the DNS'],
  'no route to host': [['EHOSTUNREACH'], 'no route to the host', 'check VPN, firewall and routes'],
  'no route to network': [
    ['ENETUNREACH'],
    'no route to the network of the host',
    'check VPN and routes',
  ],
  timeout: [
    ['ETIMEDOUT', 'CONNECT_TIMEOUT'],
    'no answer in time: often a firewall that drops packets',
    'check the firewall; set `--timeout` for slow servers',
  ],
  lost: [
    ['ECONNRESET', 'EPIPE', 'CONNECTION_CLOSED'],
    'the connection was lost: the server or a pooler ended it',
    'run the command again; look at the log of the server',
  ],
  'no encryption offered': [
    ['NO_TLS'],
    'the server offers no TLS, and nothing was sent',
    'set up TLS there, or switch it off for the server in the YAML',
  ],
  'encryption demanded': [
    ['EENCRYPT'],
    'the server takes connections with TLS only',
    'remove `sslmode: disable` or `encrypt: false`',
  ],
  'encryption failed': [
    ['EPROTO'],
    'no common version of TLS',
    'the server needs TLS 1.2 and a valid certificate',
  ],
  'untrusted certificate': [
    ['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    'the certificate is not trusted, has expired, or is for another host',
    'name its authority with `ca_file`; renew it',
  ],
};

/**
 * Causes of messages by a part that does not change. Many messages say what to do. They have an entry only if they do not
 * say their cause, and it has no way out. The first entry that fits applies.
 */
export const MESSAGES: Readonly<Record<string, readonly [cause: string, wayOut?: string]>> = {
  'cannot be written': [
    'the folder does not exist, is read-only or is full',
    'choose another path, or fix its permissions',
  ],
  'cannot be read': [
    'the path is wrong, or its permissions forbid it',
    'fix the path or its permissions',
  ],
  'invalid YAML': ['the file is not YAML', 'fix it at this line'],
  'git is not installed': ['`--base` reads a commit with git', 'install git'],
  'of the source is not in': [
    'the final table does not have the column, for the reason in the message',
    'to replicate it, change `ignore_columns` or `include_columns`',
  ],
  'squawk-cli failed': [
    'the linter ended with an error',
    'read its output in the message; install it again',
  ],
  '--listen': ['the address is in use, or not of this machine', 'choose another host or port'],
  'a schema name is empty': ['the name has no characters', 'give a name'],
  'the name "…" has': [
    'a name has a character that terminals and editors do not show',
    'choose another name',
  ],
  'reload: no table of': [
    'no service has a table or customer with this name in the environment',
    'fix `--table` or `--customer`',
  ],
  'is read without Debezium': ['only Debezium takes signals'],
  'is not a generated file': ['a file without our header has the name of a generated one'],
  'this file is not generated': ['a file without our header has the name of a snapshot'],
  'no table of the service': [
    'the services that `--service` names do not have the table',
    'name a table of them, or leave one of the two options out',
  ],
  'needs --env': ['the option is for the databases of one environment', 'add `--env`'],
  'need --rotate': ['the options are for a rotation of capture instances', 'add `--rotate`'],
  'exclude each other': ['one of the options contradicts the other', 'leave one of them out'],
  'for sources of': ['the option is for another kind of source', 'leave the option out'],
  'initdb failed': [
    'the bundled PostgreSQL could not create its files',
    'read its output in the message; check the disk and its permissions',
  ],
  'has held it for': ['another command works on the bundled PostgreSQL'],
  'may be lost': ['a crash emptied the staging table during the reload'],
  'dead letters: …': ['to finish could remove rows of events that could not be merged'],
  'event has no value': [
    'the message of Kafka has no JSON, as a tombstone has none',
    'discard it, or let the pipeline skip tombstones',
  ],
  'without a row': [
    'the envelope of Debezium has no `before` or `after`',
    'discard it, or fix the connector',
  ],
  'has no column …': [
    'the event has a field that the staging table does not have',
    'apply the newer files, then replay it, or leave the field out',
  ],
  'isolation level read committed': [
    'each batch must see what merges have committed since the one before',
    'call it in a transaction with this isolation level',
  ],
  'found neither': [
    'the target has neither the old nor the new name of a rename',
    'check the target; if it is the right one, apply its files',
  ],
  'table ……': [
    'the change could lose values, rewrites a large table, or something uses the column',
    'do what the hint says: `--allow-rewrite`, or a [manual file](changes.md#manual-files)',
  ],
  'is not merged here': ['no staging file of the table was applied'],
  'staging table … is there': ['bookkeeping is removed only after its staging table'],
  'have a value in': [
    'a manual file makes a type narrower than its values',
    'change these rows first, or convert them in the file; merge staged ones',
  ],
  'have no "…"': [
    'a manual file makes a column NOT NULL',
    'fill the column in the file, in front of the check',
  ],
  'have NULL in the key': [
    'a manual file changes the key',
    'fill the columns in the file, in front of the check',
  ],
  'are duplicates': [
    'a manual file changes the key',
    'remove the duplicates in the file, in front of the check',
  ],
  'expected ': ['the value has another form', 'give what is expected'],
};

/** SQLSTATEs of ours, and those of PostgreSQL that users meet most. */
export const SQLSTATES = {
  CD004: ['another session applies to the same schema', 'wait for it, then apply again'],
  CD005: [
    'refused: the change could lose values or events, or the files are older than the target',
    'look up the [message](errors-messages.md#messages-of-sql)',
  ],
  CD007: [
    'another session has applied the same file meanwhile',
    'nothing: the command counts it as applied',
  ],
  CD009: [
    'an object with a name of ours belongs to another role',
    'drop or rename it, or apply as its owner',
  ],
  '28P01': ['wrong password', 'fix the variable of the server'],
  '3D000': ['the database does not exist', 'create it, or fix its name in sink-groups.yaml'],
  '40001': ['two transactions changed the same row', 'nothing: the merge tries again by itself'],
  '42501': [
    'a privilege is missing',
    'apply as the owner of the database; grants of the sink role come with `apply`',
  ],
  '53100': ['the disk is full', '[free space](../on-call.md#the-disk-of-the-target-is-full)'],
  '55P03': [
    'a lock was not obtained in time',
    'the message names the session that holds it; try again',
  ],
  '57014': [
    'a timeout or a user cancelled the statement',
    'raise `statement_timeout`, or run it again',
  ],
} as const satisfies Readonly<Record<string, Row>>;

/** SQLSTATEs that never leave the database: they undo a part of a transaction. */
export const INTERNAL_SQLSTATES = ['CD000', 'CD008'] as const;

/** Findings of `enable-cdc`. */
export const FINDINGS: Readonly<Record<FindingCode, Row>> = {
  'express-edition': [
    'Express Edition has no change data capture',
    'move the database to Standard',
  ],
  'database-read-only': ['the database is read-only', '`ALTER DATABASE … SET READ_WRITE`'],
  'no-sysadmin': [
    'only a sysadmin can switch capture on',
    'give the script of `--emit-sql` to one',
  ],
  'no-owner': ['the login is not db_owner', '`ALTER ROLE db_owner ADD MEMBER …`'],
  'cdc-name-taken': ['a schema or user `cdc` exists', 'rename or drop it'],
  'agent-stopped': [
    'SQL Server Agent is not running, so nothing is captured and the log grows',
    'start it',
  ],
  'agent-unknown': ['the login cannot see if SQL Server Agent is running', 'ask the DBA'],
  'no-table': [
    'the database does not have the table, or the login does not see it',
    'fix the name, or grant access',
  ],
  'no-column': [
    'the table does not have a column of the definition',
    'run `schema-docs` and `generate`',
  ],
  'memory-optimized': ['tables in memory cannot be captured', 'leave the table out'],
  columnstore: [
    'a clustered columnstore index prevents capture',
    'leave the table out, or drop the index',
  ],
  'two-instances': [
    'both capture instances are missing columns, and two is the maximum',
    'drop the one that nobody reads',
  ],
  'other-columns': [
    'the capture instance is missing columns',
    '`--rotate`, or `--second-instance`',
  ],
  'no-key': [
    'the table has no key',
    'name one in `key_columns`, and in `message.key.columns` of Debezium',
  ],
  'computed-column': ['a computed column is captured as NULL', 'put it into `ignore_columns`'],
  'type-not-carried': [
    'connectors leave out the type of a column',
    'put it into `ignore_columns`, or have the source write it as text',
  ],
  collation: [
    'a text column has another collation than the database',
    'make it nvarchar, or `--accept collation`',
  ],
  'large-object': [
    'writes of large values will fail in the application',
    'raise `max text repl size`, or `--accept large-object`',
  ],
  standby: ['the server is a standby', 'connect to its primary'],
  'wal-level': ['`wal_level` is not `logical`', 'set it, and restart the server'],
  'no-create': [
    'the login cannot create a publication',
    'give the script of `--emit-sql` to the owner',
  ],
  'publication-owner': [
    'the publication belongs to another role',
    'give the script of `--emit-sql` to that role',
  ],
  'no-table-owner': [
    'the table belongs to another role',
    'give the script of `--emit-sql` to its owner',
  ],
  'unlogged-table': ['unlogged and temporary tables have no WAL', '`ALTER TABLE … SET LOGGED`'],
  'row-filter': [
    'the publication carries only some rows',
    '`ALTER PUBLICATION … DROP TABLE`, then run it again',
  ],
  'column-list': [
    'the publication is missing columns',
    '`ALTER PUBLICATION … DROP TABLE`, then run it again',
  ],
  'slot-taken': ['the slot is another one than expected', 'choose another `--slot-name`'],
  'slot-lost': [
    'the slot has lost WAL, so changes are missing',
    'drop it, and make a new snapshot',
  ],
  'no-replication': ['the login cannot replicate', '`ALTER ROLE … REPLICATION`'],
  'no-free-slot': [
    'all replication slots are in use',
    'drop one, or raise `max_replication_slots`',
  ],
  'no-free-sender': ['all WAL senders are in use', 'raise `max_wal_senders`'],
  'no-select': ['the login cannot read the table', '`GRANT SELECT`'],
  'row-security': ['policies hide rows from the login', '`ALTER ROLE … BYPASSRLS`'],
  'extra-table': [
    'the publication has a table that no definition has',
    'remove it, or `--accept extra-table`',
  ],
  'slot-inactive': [
    'nobody reads the slot, and the server keeps WAL for it',
    'start the connector, or drop the slot',
  ],
  'wal-unlimited': ['a slot can keep WAL until the disk is full', 'set `max_slot_wal_keep_size`'],
  'all-tables': [
    'the publication has every table of the database',
    'give each table a replica identity',
  ],
  'autocreate-mode': [
    'the login does not own the publication or a table',
    'set `publication.autocreate.mode` to `disabled` in the connector',
  ],
  'partition-identity': [
    'a later partition has no replica identity',
    'run it again after each new partition',
  ],
};

/** Codes of `manage-pipelines check`. */
export const MISFITS = {
  quoting: ['a name is not quoted as PostgreSQL needs it', 'quote it'],
  'unknown table': [
    'no staging table has this name',
    'fix the name, or add the table to the service',
  ],
  'final table': ['the INSERT goes into the final table', 'insert into the staging table'],
  'unknown schema': ['the schema is not one of the sink', 'fix the schema'],
  'no columns': ['the INSERT does not name its columns', 'name them: their order can change'],
  computed: ['the column is computed at the source', 'leave it out'],
  ignored: [
    'the configuration ignores the column',
    'leave it out, or remove it from `ignore_columns`',
  ],
  'named otherwise': ['the column has another name in PostgreSQL', 'use the name of the message'],
  case: ['the name differs in upper and lower case', 'use the name of the message'],
  letters: [
    'the name differs in its letters, such as `o` for `ø`',
    'use the name of the message, or `column_names: ascii`',
  ],
  'unknown column': [
    'the staging table does not have the column',
    'fix the name, or run `schema-docs` and `generate`',
  ],
  duplicate: ['a column occurs twice', 'remove one'],
  missing: ['the INSERT does not fill a column', 'add it, or put it into `ignore_columns`'],
  count: ['there are more or fewer values than columns', 'make them the same number'],
  form: [
    'the value has another form than the column',
    'change the pipeline, or the settings of `pipeline`',
  ],
  conflict: ['ON CONFLICT in an INSERT into staging', 'remove it: staging takes duplicates'],
} as const satisfies Readonly<Record<string, Row>>;

/** Reasons of dead letters: a part that does not change, as the merge writes it. */
export const DEAD_LETTERS: readonly (readonly [reason: string, ...Row])[] = [
  [
    'no stream position',
    'the event has no partition or no offset',
    'let the pipeline fill `__kafka_partition` and `__kafka_offset`',
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
    '`__cdc_operation` has an unknown word',
    'use one of [these](types.md#metadata-columns)',
  ],
  ['is a message, which has no row', 'a logical message of PostgreSQL', 'discard it'],
  [
    'is a TRUNCATE, which does not empty this table',
    'a TRUNCATE of the source',
    'set `truncate: empty`, or [reload](../reload.md)',
  ],
  [
    'a TRUNCATE cannot be merged',
    'the source table has events in several partitions',
    'give the topic one partition, then [reload](../reload.md)',
  ],
  ['the table has no key', 'an update or delete of a table without a key', 'set `key_columns`'],
  [
    'missing key column',
    'the event has no value for a column of the key',
    'fix the key of the connector or the pipeline',
  ],
  [
    'violates not-null constraint',
    'a NOT NULL column has no value',
    'fix the payload, or replay after the missing events',
  ],
  [
    'value too long for type',
    'the text is longer than the column',
    'widen the type with an override, then replay',
  ],
  [
    'out of range',
    'the number does not fit the column',
    'widen the type with an override, then replay',
  ],
  [
    'numeric field overflow',
    'the number has more digits than the column',
    'widen the type with an override, then replay',
  ],
  ['expected ISO 8601', 'a time is not in ISO 8601', 'fix the pipeline'],
  [
    'cannot be staged',
    'a replayed event does not fit the staging table',
    'fix its `payload`, then replay',
  ],
];
