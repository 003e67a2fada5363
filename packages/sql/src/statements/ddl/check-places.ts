import type { StatementContext } from '../catalog-statement.ts';
import type { Properties } from './properties.ts';

/** Properties that say where a table's files are written. */
export const PLACE_PROPERTIES: readonly string[] = [
  'write.data.path',
  'write.metadata.path',
  'write.object-storage.path',
  'write.folder-storage.path',
];

/** UNAUTHORIZED if files would be written where the session may not write. */
export async function checkPlaces(
  { location, properties }: { readonly location?: string | null | undefined; readonly properties: Properties },
  context: StatementContext,
): Promise<void> {
  const places = [location, ...PLACE_PROPERTIES.map((key) => properties[key])];
  for (const place of places) if (typeof place === 'string') await context.checkPath(place, 'write');
}
