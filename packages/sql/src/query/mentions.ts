import type { DuckDBConnection } from '@duckdb/node-api';
import type { Schema, Table } from '@lh/core';
import { METADATA_COLUMNS, openChanges, openMetadataTable } from '@lh/core/engine';
import type { MetadataColumn, MetadataTableColumns } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import type { ShadowColumn } from '../plan/planner.ts';
import type { Session } from '../session/session.ts';
import { quoteNames } from '../text/quote.ts';
import { duckdbNames, duckdbType } from '../types/duckdb-types.ts';
import { handedOver } from '../relation/metadata-relation.ts';
import { metadataColumnsOf } from './metadata-references.ts';
import { placedError } from './query-text.ts';
import type { QueryText } from './query-text.ts';
import { resolveRead } from './resolve-read.ts';
import type { QueryReferences, TableReference } from './table-references.ts';
import type { RegisteredFeed, TableReading, TableResolver } from './table-resolver.ts';
import { changeStates, scanTarget } from './time-travel.ts';
import type { ChangeStates, ScanTarget } from './time-travel.ts';

/** A mention of a table in a query, with what it stands for. */
export type Mention = TableMention | MetadataMention | DataMention | LocalMention;

/** An Iceberg table in one of its versions. */
export interface TableMention {
  readonly kind: 'table';
  readonly reference: TableReference;
  readonly name: string;
  readonly table: Table;
  readonly target: ScanTarget;
  readonly schema: Schema;
  /** Metadata columns that the query asks for. */
  readonly metadataColumns: readonly MetadataColumn[];
  readonly reading?: TableReading;
}

/** A metadata table of an Iceberg table, at one of its snapshots. */
export interface MetadataMention {
  readonly kind: 'metadata';
  readonly reference: TableReference;
  readonly columns: MetadataTableColumns;
  readonly schema: Schema;
}

/** A mention whose rows come through this library. */
export type ReadMention = TableMention | MetadataMention;

export function isRead(mention: Mention): mention is ReadMention {
  return mention.kind === 'table' || mention.kind === 'metadata';
}

/** Arrow data that was registered. */
export interface DataMention {
  readonly kind: 'data';
  readonly reference: TableReference;
  readonly data: RegisteredFeed;
}

/** A table, view or file that is DuckDB's. */
export interface LocalMention {
  readonly kind: 'local';
  readonly reference: TableReference;
  readonly columns: readonly ShadowColumn[];
}

/** Finds out what every mention stands for; NOT_FOUND for one that stands for nothing. */
export async function resolveMentions(
  session: Session,
  { tables, selects }: QueryReferences,
  resolver: TableResolver,
  text: QueryText,
): Promise<readonly Mention[]> {
  const mentions = await Promise.all(
    tables.map((reference) =>
      mentionOf(session, reference, resolver).catch((error: unknown) => {
        throw placedError(error, text, reference.start);
      }),
    ),
  );
  if (!selects.some(({ columns }) => columns.length > 0)) return mentions;
  const columns = new Map(mentions.map((mention) => [mention.reference, new Set(columnNames(mention))]));
  const hasColumn = (reference: TableReference, name: string): boolean => columns.get(reference)?.has(name) === true;
  return mentions.map((mention) => {
    if (mention.kind !== 'table') return mention;
    return { ...mention, metadataColumns: metadataColumnsOf(selects, mention.reference, hasColumn) };
  });
}

async function mentionOf(session: Session, reference: TableReference, resolver: TableResolver): Promise<Mention> {
  const resolved = await resolveRead(resolver, reference.parts);
  if (resolved?.kind === 'table') {
    const target =
      (reference.at ? null : resolved.reading?.target) ?? (await targetOf(session, reference, resolved.table));
    return { ...resolved, reference, target, schema: resolved.table.scan(target).schema, metadataColumns: [] };
  }
  if (resolved?.kind === 'metadata') {
    const { table, metadataTable } = resolved;
    const columns = openMetadataTable(table, metadataTable, await targetOf(session, reference, table));
    return { kind: 'metadata', reference, columns, schema: columns.schema };
  }
  if (resolved?.kind === 'changes') {
    const { table } = resolved;
    const columns = openChanges(table, await statesOf(session, reference, table));
    return { kind: 'metadata', reference, columns, schema: columns.schema };
  }
  if (resolved) return { kind: 'data', reference, data: resolved.data };
  return { kind: 'local', reference, columns: await localColumns(session, reference, resolver) };
}

function columnNames(mention: Mention): readonly string[] {
  return shadowColumns(mention).map(({ name }) => name.toLowerCase());
}

async function targetOf(session: Session, reference: TableReference, table: Table): Promise<ScanTarget> {
  if (!reference.at) return {};
  const lease = await session.lease();
  try {
    return await scanTarget(lease.connection, reference.at, table);
  } finally {
    lease.release();
  }
}

async function statesOf(session: Session, { at }: TableReference, table: Table): Promise<ChangeStates> {
  const lease = await session.lease();
  try {
    return await changeStates(lease.connection, at, table);
  } finally {
    lease.release();
  }
}

async function localColumns(
  session: Session,
  { parts }: TableReference,
  resolver: TableResolver,
): Promise<readonly ShadowColumn[]> {
  const { main } = session;
  // DuckDB has no names of more parts.
  if (parts.length > 3) throw await resolver.unknown(parts, []);
  try {
    return await session.onMain(() => describeSource(main, quoteNames(parts)));
  } catch (error) {
    const isUnknown = error instanceof Error && /^(?:Catalog|Binder) Error/.test(error.message);
    throw isUnknown ? await resolver.unknown(parts, await session.onMain(() => localNames(main))) : duckdbError(error);
  }
}

/** Columns of whatever may stand in a FROM clause. */
export async function describeSource(connection: DuckDBConnection, source: string): Promise<readonly ShadowColumn[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
  return reader.getRows().map(([column, type]) => ({ name: String(column), type: String(type) }));
}

async function localNames(connection: DuckDBConnection): Promise<readonly string[]> {
  const reader = await connection.runAndReadAll(
    'SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal',
  );
  return reader.getRows().map(([name]) => String(name));
}

/** The columns of the empty table that stands for a mention while the query is planned. */
export function shadowColumns(mention: Mention): readonly ShadowColumn[] {
  if (mention.kind === 'local') return mention.columns;
  if (mention.kind === 'data') {
    const { names, types } = mention.data.feed;
    return names.map((name, i) => ({ name, type: types[i]!.toString() }));
  }
  const { fields } = mention.kind === 'table' ? mention.schema : handedOver(mention.schema);
  const names = duckdbNames(mention.schema);
  const columns = fields.map(({ type }, i) => ({ name: names[i]!, type: duckdbType(type) }));
  const { metadataColumns } = mention.kind === 'table' ? mention : { metadataColumns: [] };
  return [...columns, ...metadataColumns.map((name) => ({ name, type: duckdbType(METADATA_COLUMNS[name].type) }))];
}
