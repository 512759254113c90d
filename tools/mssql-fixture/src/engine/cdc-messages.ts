import { error, type MessageText } from './message-text.ts';

/**
 * Messages of change data capture; numbers 22800 to 22999 of the same list. 10794 (a table in memory), which
 * stands with the engine's messages, is from memory: no list at hand has it.
 */
export const CDC_MESSAGES = {
  22832: error(
    "Could not update the metadata that indicates table %s is enabled for Change Data Capture. The failure occurred when executing the command '%s'. The error returned was %s: '%s'. Use the action and error to determine the cause of the failure and resubmit the request.",
  ),
  22901: error(
    "The database '%s' is not enabled for Change Data Capture. Ensure that the correct database context is set and retry the operation. To report on the databases enabled for Change Data Capture, query the is_cdc_enabled column in the sys.databases catalog view.",
  ),
  22902: error(
    'Caller is not authorized to initiate the requested action. %s privileges are required.',
  ),
  22904: error(
    'Caller is not authorized to initiate the requested action. DBO privileges are required.',
  ),
  22905: error(
    "Database '%s' is already enabled for Change Data Capture. Ensure that the correct database context is set, and retry the operation. To report on the databases enabled for Change Data Capture, query the is_cdc_enabled column in the sys.databases catalog view.",
    10,
  ),
  22906: error(
    "The database '%s' cannot be enabled for Change Data Capture because a database user named 'cdc' or a schema named 'cdc' already exists in the current database. These objects are required exclusively by Change Data Capture. Drop or rename the user or schema and retry the operation.",
  ),
  22907: error(
    'Parameter @role_name cannot be empty. Specify a value for @role_name and retry the operation. Supply null as the value if no role is to be used to gate access to captured change data.',
  ),
  22920: error('The named capture instance %s does not exist for database %s.'),
  22926: error(
    "Could not create a capture instance because the capture instance name '%s' already exists in the current database. Specify an explicit unique name for the parameter @capture_instance.",
  ),
  22927: error(
    "Capture instance name '%s' exceeds the length limit of 100 characters. Specify a name that satisfies the length constraint.",
  ),
  22928: error(
    "Index name '%s' is not an index for table '%s.%s'. Specify a valid index name for the table.",
  ),
  22929: error(
    "Index '%s' must be either a primary key or a unique index for table '%s.%s'. Specify an index that meets at least one of these requirements.",
  ),
  22930: error(
    "Could not locate '%s' as a column of source table '%s.%s'. Specify a valid column name.",
  ),
  22931: error(
    "Source table '%s.%s' does not exist in the current database. Ensure that the correct database context is set. Specify a valid schema and table name for the database.",
  ),
  22939: error(
    'The parameter @supports_net_changes is set to 1, but the source table does not have a primary key defined and no alternate unique index has been specified.',
  ),
  22942: error(
    "Columns specified in the captured column list could not be mapped to columns in source table '%s.%s'. Verify that the columns specified in the parameter @captured_column_list are delimited properly and match columns in the source table.",
  ),
  22943: error(
    'Columns used to uniquely identify a row for net change tracking must be included in the list of captured columns. Add either the primary key columns of the source table, or the columns defined for the index specified in the parameter @index_name to the list of captured columns and retry the operation.',
  ),
  22957: error(
    "LSN %s, specified as the new low end point for the change table associated with capture instance '%s', is not within the Change Data Capture timeline [%s, %s].",
  ),
  22960: error(
    "Change data capture instance '%s' has not been enabled for the source table '%s.%s'. Use sys.sp_cdc_help_change_data_capture to verify the capture instance name and retry the operation.",
  ),
  22962: error(
    "Two capture instances already exist for source table '%s.%s'. A table can have at most two capture instances. If the current tracking options are not appropriate, disable change tracking for the obsolete instance by using sys.sp_cdc_disable_table and retry the operation.",
  ),
  22963: error(
    "Parameter '%s' cannot be null or empty. Specify a value for the named parameter and retry the operation.",
  ),
  22964: error(
    'LSN %s, specified as the new low end point for change table cleanup must represent the start_lsn value of a current entry in the cdc.lsn_time_mapping table. Choose an LSN value that satisfies this requirement.',
  ),
  22965: error(
    "A quoted column in the column list is not properly terminated. Verify that columns are correctly delimited and retry the operation. For more information, see 'Delimited Identifiers' in Books Online.",
  ),
  22972: error(
    'When calling stored procedure [sys].sp_cdc_help_change_data capture, if either @source_schema or @source_name is non-null and non-empty, the other parameter must also be non-null and non-empty.',
  ),
  22973: error(
    "The specified filegroup '%s' is not a valid filegroup for database '%s'. Specify a valid existing filegroup or create the named filegroup, and retry the operation.",
  ),
  22974: error('Tables contained in the cdc schema cannot be enabled for Change Data Capture.'),
  22981: error('Object does not exist or access is denied.'),
  22985: error(
    "Change data capture has not been enabled for source table '%s.%s'. Specify the name of a table enabled for Change Data Capture. To report on the tables enabled for Change Data Capture, query the is_tracked_by_cdc column in the sys.tables catalog view.",
  ),
  22989: error(
    "Could not enable Change Data Capture for database '%s'. Change data capture is not supported on system databases, or on a distribution database.",
  ),
  22992: error(
    "The specified @job_type, %s, is not supported. The value specified for the parameter @job_type must be N'capture' to indicate a capture job, or N'cleanup' to indicate a cleanup job.",
  ),
  22994: error(
    'The retention value specified for the Change Data Capture cleanup process must be greater than 0 and less than or equal to 52594800. When creating or modifying the cleanup job, specify a retention value (in minutes) that is within that range. If this error is encountered when executing the sys.sp_cdc_cleanup_change_table stored procedure, reset the retention value associated with the job to a non-negative value less than 52594800 by using the sp_cdc_change_job stored procedure.',
  ),
  35353: error(
    "%s cannot be enabled on a table with a clustered columnstore index. Consider dropping clustered columnstore index '%s' on table '%s'.",
  ),
} as const satisfies Readonly<Record<number, MessageText>>;
