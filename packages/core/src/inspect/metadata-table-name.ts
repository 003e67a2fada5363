/** The metadata tables of a table, by the names that Spark gives them. */
export const METADATA_TABLE_NAMES = [
  'files',
  'data_files',
  'delete_files',
  'all_files',
  'all_data_files',
  'all_delete_files',
  'entries',
  'all_entries',
  'manifests',
  'all_manifests',
  'snapshots',
  'history',
  'refs',
  'partitions',
  'metadata_log_entries',
  'position_deletes',
] as const;

export type MetadataTableName = (typeof METADATA_TABLE_NAMES)[number];

/** Names are as they are written here: in lower case. */
export function isMetadataTableName(name: string): name is MetadataTableName {
  return (METADATA_TABLE_NAMES as readonly string[]).includes(name);
}
