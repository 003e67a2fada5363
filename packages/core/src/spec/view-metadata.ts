import type { Schema } from './schema.ts';

/** A view's metadata (view spec: "View Metadata"). */
export interface ViewMetadata {
  readonly viewUuid: string;
  readonly location: string;
  readonly schemas: readonly Schema[];
  readonly versions: readonly ViewVersion[];
  readonly currentVersionId: number;
  readonly versionLog: readonly ViewHistoryEntry[];
  readonly properties: Readonly<Record<string, string>>;
}

export interface ViewVersion {
  readonly versionId: number;
  readonly schemaId: number;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** What made it: `engine-name`, `engine-version`. */
  readonly summary: Readonly<Record<string, string>>;
  /** The query, in one or several dialects. */
  readonly representations: readonly ViewRepresentation[];
  /** For names in the query that name none; null: that of the view. */
  readonly defaultCatalog: string | null;
  readonly defaultNamespace: readonly string[];
}

/** The one kind of representation that there is (view spec: "SQL representation"). */
export interface ViewRepresentation {
  readonly type: 'sql';
  readonly sql: string;
  readonly dialect: string;
}

export interface ViewHistoryEntry {
  readonly versionId: number;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}
