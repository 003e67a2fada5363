import { FILE, TRAILER_SIZE, parseParquetFooter } from '../../src/formats/parquet/footer.ts';
import { writeTrailer } from '../../src/formats/parquet/excerpt.ts';
import { ELEMENT } from '../../src/formats/parquet/parquet-schema.ts';
import { structList, withFields, writeThrift } from '../../src/formats/parquet/thrift.ts';

/** The same file without the field ids in its footer. */
export function withoutFieldIds(file: Uint8Array): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset + file.length - TRAILER_SIZE).getUint32(0, true);
  const start = file.length - TRAILER_SIZE - length;
  const footer = parseParquetFooter(file.subarray(start, start + length), 'test');
  const elements = footer.elements.map((element) => withFields(element, [{ id: ELEMENT.fieldId, value: null }]));
  const bytes = writeThrift(withFields(footer.raw, [structList(FILE.schema, elements)]));
  const out = new Uint8Array(start + bytes.length + TRAILER_SIZE);
  out.set(file.subarray(0, start));
  writeTrailer(out, start, bytes);
  return out;
}
