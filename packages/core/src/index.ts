export { LakehouseError, isLakehouseError, throwIfAborted, type ErrorCode, type ErrorContext } from './errors.ts';
export type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  WriteOptions,
} from './io/file-io.ts';
export { checkByteRange, resolveByteRange, type ByteRange } from './io/byte-range.ts';
export { MappedFileIO } from './io/mapped-file-io.ts';
export { MemoryFileIO } from './io/memory-file-io.ts';
export { systemRuntime, type Runtime } from './runtime.ts';
