import type { Schema } from '@lh/core';
import { handedOver } from '../relation/metadata-relation.ts';
import { relationSchema } from '../relation/scan-relation.ts';
import type { Session } from '../session/session.ts';
import { isRead } from './mentions.ts';
import type { Mention, ReadMention } from './mentions.ts';
import type { Replacement } from './table-references.ts';

/** What the query that is run has in the place of mentions: `relations` are queries for the rows of those that are read. */
export function replacements(
  session: Session,
  mentions: readonly Mention[],
  relations: readonly string[],
): readonly Replacement[] {
  let next = 0;
  return mentions.flatMap((mention): readonly Replacement[] => {
    const { reference } = mention;
    if (isRead(mention)) return [{ ...exposed(mention), by: { query: relations[next++]! } }];
    if (mention.kind === 'data') return [{ reference, by: { query: session.feeds.relation(mention.data.id) } }];
    return [];
  });
}

/** The columns of a mention as DuckDB has them. */
export function schemaOf(mention: ReadMention): Schema {
  return mention.kind === 'table' ? relationSchema({ ...mention, variantBytes: false }) : handedOver(mention.schema);
}

export function exposed(mention: Mention): Pick<Replacement, 'reference' | 'metadataColumns'> {
  const { reference } = mention;
  return mention.kind === 'table' ? { reference, metadataColumns: mention.metadataColumns } : { reference };
}
