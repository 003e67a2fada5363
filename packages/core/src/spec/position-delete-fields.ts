import type { NestedField } from './types.ts';

/** The columns of position delete files, under reserved ids (spec: "Position Delete Files"). */
export const FILE_PATH: NestedField = { id: 2147483546, name: 'file_path', required: true, type: { kind: 'string' } };
export const POS: NestedField = { id: 2147483545, name: 'pos', required: true, type: { kind: 'long' } };
