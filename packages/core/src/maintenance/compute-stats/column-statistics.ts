import { findColumn } from '../../columns/find-column.ts';
import { invalidArgument, throwIfAborted } from '../../errors.ts';
import { encodePuffin } from '../../formats/puffin/write-puffin.ts';
import type { NewBlob } from '../../formats/puffin/write-puffin.ts';
import { deleteLoader, readTaskColumns } from '../../read/read-task.ts';
import { planScan } from '../../scan/plan-scan.ts';
import { schemaForSnapshot } from '../../spec/metadata-accessors.ts';
import { tableNameMapping } from '../../spec/name-mapping.ts';
import { findFieldByName } from '../../spec/schema-fields.ts';
import type { Schema } from '../../spec/schema.ts';
import { selectFields } from '../../spec/select-fields.ts';
import type { StatisticsFile } from '../../spec/table-metadata.ts';
import type { NestedField } from '../../spec/types.ts';
import { ColumnSketch, canBeCounted } from './column-sketch.ts';
import type { ComputedSnapshot } from './compute-stats.ts';

/** What was found out about a column. */
export interface ColumnStatistics {
  readonly name: string;
  readonly fieldId: number;
  /** About how many distinct values there are, nulls left out: exact up to 16,384, else within about 2 %. */
  readonly ndv: bigint;
}

/** A column to look at. */
interface WantedColumn {
  readonly name: string;
  readonly field: NestedField;
}

const THETA_SKETCH = 'apache-datasketches-theta-v1';

/** Reads the live rows of a snapshot, and writes a Puffin file with a sketch for each column. */
export async function writeColumnStatistics(
  source: ComputedSnapshot,
  names: readonly string[] | undefined,
): Promise<{ readonly file: StatisticsFile | null; readonly columns: readonly ColumnStatistics[] }> {
  const schema = schemaForSnapshot(source.metadata, source.snapshot);
  const columns = wantedColumns(schema, names);
  if (columns.length === 0) return { file: null, columns: [] };
  const sketches = await sketchRows(source, schema, columns);
  const { snapshotId, sequenceNumber } = source.snapshot;
  const found = columns.map(({ name, field }, i) => ({ name, fieldId: field.id, ndv: sketches[i]!.estimate }));
  const blobs = columns.map(({ field }, i): NewBlob => ({
    type: THETA_SKETCH,
    fields: [field.id],
    snapshotId,
    sequenceNumber,
    properties: { ndv: String(found[i]!.ndv) },
    content: sketches[i]!.serialize(),
  }));
  return { columns: found, file: await writePuffin(source, blobs) };
}

async function writePuffin(
  { snapshot: { snapshotId }, staged, locationOf }: ComputedSnapshot,
  blobs: readonly NewBlob[],
): Promise<StatisticsFile> {
  const { bytes, footerBytes } = encodePuffin(blobs);
  const statisticsPath = locationOf(`${snapshotId}-`, '.stats');
  await staged.write(statisticsPath, bytes);
  await staged.written();
  return {
    snapshotId,
    statisticsPath,
    fileSizeInBytes: bytes.length,
    fileFooterSizeInBytes: footerBytes,
    keyMetadata: null,
    blobMetadata: blobs.map(({ type, fields, properties, sequenceNumber }) => ({
      type,
      snapshotId,
      sequenceNumber,
      fields,
      properties,
    })),
    unknownFields: {},
  };
}

/** Of all columns at the top, if none are named, those that can be counted. */
function wantedColumns(schema: Schema, names: readonly string[] | undefined): readonly WantedColumn[] {
  if (names === undefined) {
    return schema.fields.filter(({ type }) => canBeCounted(type)).map((field) => ({ name: field.name, field }));
  }
  const wanted = new Map<number, WantedColumn>();
  for (const name of names) {
    const found = findFieldByName(schema, name, true);
    if (!found) throw invalidArgument(`There is no column '${name}' to compute statistics of.`, { column: name });
    // Inside of lists and maps a row has any number of values.
    if (!canBeCounted(found.field.type) || !findColumn(schema, found.field.id)) {
      throw invalidArgument(
        `Statistics of '${name}' can't be computed: it has to be of a primitive type and not inside a list or map.`,
        { column: name },
      );
    }
    wanted.set(found.field.id, { name, field: found.field });
  }
  return [...wanted.values()];
}

async function sketchRows(
  { io, metadata, snapshot, runtime, signal, onProgress }: ComputedSnapshot,
  schema: Schema,
  columns: readonly WantedColumn[],
): Promise<readonly ColumnSketch[]> {
  const ids = new Set(columns.map(({ field }) => field.id));
  const projection = selectFields(schema, ids);
  const sketches = columns.map(({ field }) => ({
    sketch: new ColumnSketch(field.type),
    find: findColumn(projection, field.id)!.find,
  }));
  const nameMapping = tableNameMapping(metadata.properties);
  const deletes = deleteLoader(io);
  const aborted = signal ? { signal } : {};
  const plan = planScan({ io, metadata, snapshot, schema, filter: { op: 'true' }, runtime, ...aborted });
  const progress = { filesRead: 0, rowsRead: 0 };
  for await (const task of plan.tasks) {
    const read = { projection, deletes, ...(nameMapping && { nameMapping }), ...aborted };
    for await (const batch of readTaskColumns(io, task, read)) {
      throwIfAborted(signal);
      for (const { sketch, find } of sketches) sketch.add(find(batch));
      progress.rowsRead += batch.length;
    }
    progress.filesRead++;
    onProgress?.({ ...progress });
  }
  return sketches.map(({ sketch }) => sketch);
}
