import type { FileIO } from './file-io.ts';

/** What a FileIO is to be made for. */
export interface FileIOSettings {
  /** A place whose files it will be asked for: its scheme tells the store. */
  readonly location: string;
  /** Settings with the names that PyIceberg and Spark have for them: `s3.endpoint`, `s3.access-key-id`, `client.region`. */
  readonly properties: Readonly<Record<string, string>>;
  /**
   * Credentials that the catalog lends, as properties (`s3.access-key-id`, `s3.session-token-expires-at-ms`); null if it
   * lends none. First those that came with the table, then, at each call, new ones.
   */
  readonly credentials: (() => Promise<Readonly<Record<string, string>>>) | null;
}

/** Makes the FileIO of a store from a catalog's settings; for tables whose catalog knows best how to reach their files. */
export type FileIOFactory = (settings: FileIOSettings) => FileIO;
