import { databaseView, serverView, type SystemView } from './system-view.ts';

const DATABASES = serverView(
  'sys.databases',
  `name sysname, database_id int, source_database_id int, owner_sid varbinary(85) x'01'
  create_date datetime '2020-01-01T00:00:00.000', compatibility_level tinyint 150
  collation_name sysname 'Danish_Norwegian_CI_AS', user_access tinyint 0, user_access_desc nvarchar(60) 'MULTI_USER'
  is_read_only bit 0, is_auto_close_on bit 0, is_auto_shrink_on bit 0, state tinyint 0
  state_desc nvarchar(60) 'ONLINE', is_in_standby bit 0, is_cleanly_shutdown bit 0
  is_supplemental_logging_enabled bit 0, snapshot_isolation_state tinyint 0
  snapshot_isolation_state_desc nvarchar(60) 'OFF', is_read_committed_snapshot_on bit 0, recovery_model tinyint 1
  recovery_model_desc nvarchar(60) 'FULL', is_published bit 0, is_distributor bit 0, is_cdc_enabled bit 0
  is_encrypted bit 0, replica_id uniqueidentifier, containment tinyint 0, containment_desc nvarchar(60) 'NONE'
  delayed_durability int 0, delayed_durability_desc nvarchar(60) 'DISABLED'
  is_memory_optimized_elevate_to_snapshot_on bit 0, is_query_store_on bit 0`,
);

const CONFIGURATIONS = serverView(
  'sys.configurations',
  `configuration_id int, name nvarchar(35), value sql_variant, minimum sql_variant, maximum sql_variant
  value_in_use sql_variant, description nvarchar(255), is_dynamic bit 1, is_advanced bit 0`,
);

const SERVICES = serverView(
  'sys.dm_server_services',
  `servicename nvarchar(256), startup_type int 2, startup_type_desc nvarchar(256) 'Automatic', status int 4
  status_desc nvarchar(256) 'Running', process_id int, last_startup_time datetimeoffset(7)
  service_account nvarchar(256), filename nvarchar(256), is_clustered nvarchar(1) 'N'
  cluster_nodename nvarchar(256), instant_file_initialization_enabled nvarchar(1) 'N'`,
);

const PRINCIPALS = databaseView(
  'sys.database_principals',
  `name sysname, principal_id int, type char(1) 'S', type_desc nvarchar(60) 'SQL_USER', default_schema_name sysname
  create_date datetime '2020-01-01T00:00:00.000', modify_date datetime '2020-01-01T00:00:00.000'
  owning_principal_id int, sid varbinary(85), is_fixed_role bit 0, authentication_type int 1
  authentication_type_desc nvarchar(60) 'INSTANCE', default_language_name sysname, default_language_lcid int
  allow_encrypted_value_modifications bit 0`,
);

const CDC_JOBS = serverView(
  'msdb.dbo.cdc_jobs',
  `database_id int, job_type nvarchar(20), job_id uniqueidentifier, maxtrans int, maxscans int, continuous bit
  pollinginterval bigint, retention bigint, threshold bigint`,
);

/** Views of the server, its Agent, and a database's principals. */
export const SERVER_VIEWS: readonly SystemView[] = [
  DATABASES,
  CONFIGURATIONS,
  SERVICES,
  PRINCIPALS,
  databaseView('sys.database_role_members', 'role_principal_id int, member_principal_id int'),
  CDC_JOBS,
  serverView(
    'sys.server_principals',
    `name sysname, principal_id int, sid varbinary(85), type char(1) 'S', type_desc nvarchar(60) 'SQL_LOGIN'
    is_disabled bit 0, default_database_name sysname 'master', default_language_name sysname 'us_english'`,
  ),
  serverView(
    'msdb.dbo.sysjobs',
    'job_id uniqueidentifier, name sysname, enabled tinyint 1, description nvarchar(512)',
  ),
];
