import type { IcebergType, NestedField, StructType } from '../spec/types.ts';

export const INT: IcebergType = { kind: 'int' };
export const LONG: IcebergType = { kind: 'long' };
export const STRING: IcebergType = { kind: 'string' };
export const BOOLEAN: IcebergType = { kind: 'boolean' };
export const BINARY: IcebergType = { kind: 'binary' };
export const TIMESTAMPTZ: IcebergType = { kind: 'timestamptz' };

export function required(id: number, name: string, type: IcebergType, doc?: string): NestedField {
  return { id, name, required: true, type, ...(doc !== undefined && { doc }) };
}

export function optional(id: number, name: string, type: IcebergType, doc?: string): NestedField {
  return { id, name, required: false, type, ...(doc !== undefined && { doc }) };
}

export function struct(fields: readonly NestedField[]): StructType {
  return { kind: 'struct', fields };
}
