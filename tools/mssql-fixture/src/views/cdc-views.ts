import { databaseView, type SystemView } from './system-view.ts';

/** The tables of the schema `cdc`; they are there once the database is enabled for change data capture. */
export const CDC_VIEWS: readonly SystemView[] = [
  databaseView(
    'cdc.change_tables',
    `object_id int, version int 0, source_object_id int, capture_instance sysname, start_lsn binary(10)
    end_lsn binary(10), supports_net_changes bit 0, has_drop_pending bit, role_name sysname, index_name sysname
    filegroup_name sysname, create_date datetime, partition_switch bit 1`,
    ['source_object_id'],
  ),
  databaseView(
    'cdc.captured_columns',
    `object_id int, column_name sysname, column_id int, column_type sysname, column_ordinal int, is_computed bit 0
    masking_function nvarchar(4000)`,
    ['object_id'],
  ),
  databaseView(
    'cdc.index_columns',
    'object_id int, column_name sysname, index_ordinal tinyint, column_id int',
    ['object_id'],
  ),
  databaseView(
    'cdc.ddl_history',
    `source_object_id int, object_id int, required_column_update bit, ddl_command nvarchar(max), ddl_lsn binary(10)
    ddl_time datetime`,
  ),
  databaseView(
    'cdc.lsn_time_mapping',
    `start_lsn binary(10), tran_begin_time datetime, tran_end_time datetime, tran_id varbinary(10)
    tran_begin_lsn binary(10)`,
    ['start_lsn'],
  ),
];
