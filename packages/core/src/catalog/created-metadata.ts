import type { CreateTableOptions } from './catalog.ts';
import { invalidArgument } from '../errors.ts';
import { randomUuid, type Runtime } from '../runtime.ts';
import { newTableMetadata } from '../spec/new-table-metadata.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** The first metadata of a table that a user asked a catalog for. INVALID_ARGUMENT if what was asked for can't be. */
export function createdMetadata(options: CreateTableOptions, location: string, runtime: Runtime): TableMetadata {
  if (options?.schema?.kind !== 'struct') {
    throw invalidArgument('A table needs a schema: createTable(name, { schema: schema({ id: t.long(), … }) }).');
  }
  return newTableMetadata({ ...options, location, uuid: randomUuid(runtime), nowMs: runtime.now() });
}
