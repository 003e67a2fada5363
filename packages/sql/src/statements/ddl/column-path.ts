import type { Schema } from '@lh/core';
import { findFieldByName } from '@lh/core/engine';

/** A column's full name as the schema has it, found as SQL finds columns: whatever the case. Null if there is none. */
export function columnPath(schema: Schema, column: string): string | null {
  return findFieldByName(schema, column, false)?.path.join('.') ?? null;
}
