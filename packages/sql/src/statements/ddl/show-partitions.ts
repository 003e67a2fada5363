import type { Table } from '@lh/core';

/** The partitions of the current snapshot, as `ts_day=2024-01-01/id_bucket=3`, with what is in each. */
export async function partitionRows(table: Table): Promise<readonly (readonly (string | null)[])[]> {
  const names = new Map(
    table.metadata.partitionSpecs.map(({ specId, fields }) => [specId, fields.map(({ name }) => name)]),
  );
  const rows: (readonly (string | null)[])[] = [];
  for (const row of await table.metadataTable('partitions').toRows()) {
    const {
      partition,
      spec_id: specId,
      record_count: records,
      file_count: files,
    } = row as Partial<Record<string, unknown>>;
    rows.push([
      partitionText(partition, names.get(Number(specId)) ?? []),
      String(specId ?? 0),
      String(records),
      String(files),
    ]);
  }
  return rows;
}

function partitionText(partition: unknown, names: readonly string[]): string {
  const values = (partition ?? {}) as Readonly<Record<string, unknown>>;
  return names.map((name) => `${name}=${String(values[name] ?? null)}`).join('/');
}
