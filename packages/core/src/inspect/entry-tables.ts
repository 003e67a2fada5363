import { liveFilesCount } from '../manifest/manifest-file.ts';
import type { ManifestContent } from '../spec/manifest.ts';
import { entryScan } from './entry-batches.ts';
import { fileTables } from './file-tables-schema.ts';
import type { MetadataTableDefinition } from './metadata-table-definition.ts';
import { entryStatistics, manifestPruner } from './prune-manifests.ts';
import { reachableManifests, readEntries, snapshotManifests } from './read-entries.ts';

interface EntryTableOptions {
  /** Of all snapshots, in place of one. */
  readonly all: boolean;
  /** Files only, not what happened to them: `files`, in place of `entries`. */
  readonly files: boolean;
  /** The content of the manifests to read; all if left out. */
  readonly content?: ManifestContent;
}

/** The tables that show manifest entries: `entries` with its kin, and, of live ones just the files, `files` with its kin. */
export function entryTable({ all, files, content }: EntryTableOptions): MetadataTableDefinition {
  return {
    snapshot: all ? 'refused' : 'read',
    open: (table) => {
      const { metadata } = table;
      const tables = fileTables(metadata);
      const schema = files ? tables.files : tables.entries;
      return {
        schema,
        read: async function* ({ snapshot, projection, filter, signal }) {
          const listed = await (all ? reachableManifests(table, signal) : snapshotManifests(table, snapshot, signal));
          const mayMatch = manifestPruner(filter, entryStatistics(metadata));
          const manifests = listed.filter(
            (manifest) =>
              (content === undefined || manifest.content === content) &&
              !(files && liveFilesCount(manifest) === 0) &&
              mayMatch(manifest),
          );
          const scan = entryScan({ metadata, tables, schema, projection, filter, liveOnly: files });
          yield* readEntries(table, manifests, scan, signal);
        },
      };
    },
  };
}
