export { fileIOConformance, type FileIOSubject } from './file-io-conformance.ts';
export {
  FaultInjectingFileIO,
  type Fault,
  type FaultRule,
  type FileIOCall,
  type FileIOOperation,
} from './fault-injecting-file-io.ts';
export { MeasuringFileIO, type MeasuredRequest } from './measuring-file-io.ts';
export { SeededRuntime } from './seeded-runtime.ts';
export type { ConformanceCase } from './check.ts';
export { catalogConformance, type CatalogCapabilities, type CatalogSubject } from './catalog-conformance.ts';
