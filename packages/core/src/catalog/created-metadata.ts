import type { CreateTableOptions } from './catalog.ts';
import { randomUuid, type Runtime } from '../runtime.ts';
import { newTableMetadata } from '../spec/new-table-metadata.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** The first metadata of a table that a user asked a catalog for. INVALID_ARGUMENT if what was asked for can't be. */
export function createdMetadata(options: CreateTableOptions, location: string, runtime: Runtime): TableMetadata {
  return newTableMetadata({ ...options, location, uuid: randomUuid(runtime), nowMs: runtime.now() });
}
