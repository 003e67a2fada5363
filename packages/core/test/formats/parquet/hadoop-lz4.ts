import { CHUNK, COLUMN, FILE, GROUP, TRAILER_SIZE, parseParquetFooter } from '../../../src/formats/parquet/footer.ts';
import { writeTrailer } from '../../../src/formats/parquet/excerpt.ts';
import {
  THRIFT,
  fieldOf,
  i32,
  i64,
  readThrift,
  structField,
  structList,
  withFields,
  writeThrift,
} from '../../../src/formats/parquet/thrift.ts';
import type { ThriftStruct } from '../../../src/formats/parquet/thrift.ts';

const PAGE = { type: 1, compressedSize: 3, dataV2: 8 } as const;

/** An uncompressed Parquet file as one with the codec LZ4, its pages made by `compress`. */
export function withLz4Pages(file: Uint8Array, compress: (page: Uint8Array) => Uint8Array): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset + file.length - TRAILER_SIZE).getUint32(0, true);
  const start = file.length - TRAILER_SIZE - length;
  const footer = parseParquetFooter(file.subarray(start, start + length), 'test');
  const parts: Uint8Array[] = [file.subarray(0, 4)];
  let end = 4;
  const groups = footer.rowGroups.map((group) => {
    const chunks = group.columns.map((chunk): ThriftStruct => {
      const offsets = { first: end, data: -1 };
      for (let at = chunk.offset; at < chunk.offset + chunk.compressedSize;) {
        const header = readThrift(file, at);
        const size = fieldOf(header.struct, PAGE.compressedSize, THRIFT.i32) as number;
        const body = compress(file.subarray(header.end, header.end + size));
        const bytes = writeThrift(withFields(header.struct, [i32(PAGE.compressedSize, body.length)]));
        if (fieldOf(header.struct, PAGE.type, THRIFT.i32) === 0 && offsets.data < 0) offsets.data = end;
        parts.push(bytes, body);
        end += bytes.length + body.length;
        at = header.end + size;
      }
      const hasDictionary = offsets.data > offsets.first;
      const metadata = withFields(chunk.metadata, [
        i32(COLUMN.codec, 5),
        i64(COLUMN.compressedSize, end - offsets.first),
        i64(COLUMN.dataPageOffset, offsets.data),
        hasDictionary
          ? i64(COLUMN.dictionaryPageOffset, offsets.first)
          : { id: COLUMN.dictionaryPageOffset, value: null },
      ]);
      return [i64(CHUNK.fileOffset, offsets.first), structField(CHUNK.metadata, metadata)];
    });
    return withFields(group.raw, [structList(GROUP.columns, chunks)]);
  });
  const bytes = writeThrift(withFields(footer.raw, [structList(FILE.rowGroups, groups)]));
  const out = new Uint8Array(end + bytes.length + TRAILER_SIZE);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  writeTrailer(out, end, bytes);
  return out;
}

const bigEndian = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];

/** As Hadoop's codec frames pages: blocks of `blockSize`, each in a frame of its own or all in one. */
export function hadoopLz4(page: Uint8Array, blockSize: number, oneFrame: boolean): Uint8Array {
  const out: number[] = oneFrame ? bigEndian(page.length) : [];
  for (let at = 0; at < page.length; at += blockSize) {
    const block = page.subarray(at, at + blockSize);
    const compressed = lz4Block(block);
    if (!oneFrame) out.push(...bigEndian(block.length));
    out.push(...bigEndian(compressed.length), ...compressed);
  }
  return Uint8Array.from(out);
}

/** A plain compressor: the first earlier place where the next four bytes are found is the match. */
export function lz4Block(bytes: Uint8Array): number[] {
  const out: number[] = [];
  const places = new Map<number, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The format wants the last match to begin 12 bytes before the end, and the last five bytes to be literals.
  const [lastMatch, matchEnd] = [bytes.length - 12, bytes.length - 5];
  let literals = 0;
  const put = (to: number, match: number, offset: number): void => {
    const length = to - literals;
    out.push((Math.min(15, length) << 4) | (match === 0 ? 0 : Math.min(15, match - 4)));
    putLength(out, length);
    for (let i = literals; i < to; i++) out.push(bytes[i]!);
    if (match === 0) return;
    out.push(offset & 0xff, offset >> 8);
    putLength(out, match - 4);
  };
  for (let at = 0; at < lastMatch; at++) {
    const key = view.getUint32(at);
    const from = places.get(key);
    if (from === undefined || at - from > 0xffff) {
      places.set(key, at);
      continue;
    }
    let match = 4;
    while (at + match < matchEnd && bytes[from + match] === bytes[at + match]) match++;
    put(at, match, at - from);
    at += match - 1;
    literals = at + 1;
  }
  put(bytes.length, 0, 0);
  return out;
}

function putLength(out: number[], length: number): void {
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) out.push(255);
  if (rest >= 0) out.push(rest);
}
