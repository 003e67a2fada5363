import type { NestedField } from '../spec/types.ts';

export type MetadataColumn = '_file' | '_pos' | '_spec_id' | '_row_id' | '_last_updated_sequence_number';

/** Columns that no file stores under a table's own ids, by name (spec: "Reserved Field IDs"). */
export const METADATA_COLUMNS: Readonly<Record<MetadataColumn, NestedField>> = {
  _file: {
    id: 2147483646,
    name: '_file',
    required: true,
    type: { kind: 'string' },
    doc: 'Path of the file of the row',
  },
  _pos: {
    id: 2147483645,
    name: '_pos',
    required: true,
    type: { kind: 'long' },
    doc: 'Position of the row in its file',
  },
  _spec_id: {
    id: 2147483643,
    name: '_spec_id',
    required: true,
    type: { kind: 'int' },
    doc: 'Partition spec of the file',
  },
  _row_id: {
    id: 2147483540,
    name: '_row_id',
    required: false,
    type: { kind: 'long' },
    doc: 'Id of the row, for its life',
  },
  _last_updated_sequence_number: {
    id: 2147483539,
    name: '_last_updated_sequence_number',
    required: false,
    type: { kind: 'long' },
    doc: 'Sequence number of the commit that last changed the row',
  },
};

export function isMetadataColumn(name: string): name is MetadataColumn {
  return Object.hasOwn(METADATA_COLUMNS, name);
}
