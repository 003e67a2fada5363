import type * as module from 'parquet-wasm/node';

export type ParquetWasm = typeof module;

let loading: Promise<ParquetWasm> | undefined;

/** The Parquet codec, five megabytes of WebAssembly: loaded when a data file is first read or written. */
export function loadParquetWasm(): Promise<ParquetWasm> {
  loading ??= import('parquet-wasm/node');
  return loading;
}
