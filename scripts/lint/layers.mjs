// The layers of `packages/core/src`, lowest first. A module may import from its own layer and from those above it in
// this list. ARCHITECTURE.md explains them; this table is what the linter enforces.

/** Folders and root modules, the longest match counts; those that share a line may not import each other. */
export const LAYERS = [
  ['errors'],
  ['runtime'],
  ['spec'],
  ['transforms'],
  ['expr'],
  ['reporter'],
  ['io'],
  ['columns'],
  ['formats'],
  ['manifest'],
  ['scan'],
  ['deletes'],
  ['read'],
  ['write'],
  ['transaction'],
  ['table-scan'],
  // Following a table …
  ['changes'],
  // How tables are found and committed to, without knowing of `Table` …
  ['catalog/table-location'],
  ['catalog/file-system', 'catalog/static-table-operations'],
  // Looking into a table …
  ['inspect'],
  ['describe'],
  // … and keeping it small and fast.
  ['maintenance'],
  // Making a table of files that exist.
  ['migrate-table'],
  ['table'],
  // … and the catalogs that hand out `Table`s.
  ['catalog'],
  ['testing'],
  ['engine'],
  ['index'],
];

/** Contracts whose types every layer may name: nothing of them is left when the program runs. */
export const OPEN_TYPES = ['catalog/catalog'];

const rankOf = new Map(LAYERS.flatMap((names, rank) => names.map((name) => [name, rank])));

/** The layer of a module given by its path below `src`: 'spec/types.ts' -> 'spec'; null if it has none. */
export function layerOf(path) {
  const parts = path.replace(/\.ts$/, '').split('/');
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('/');
    if (rankOf.has(name)) return name;
  }
  return null;
}

/**
 * Why `from` must not import `to` (paths below `src`), or null if it may. `typeOnly` imports are erased by the
 * compiler.
 */
export function layerViolation(from, to, typeOnly) {
  const [importer, imported] = [layerOf(from), layerOf(to)];
  if (importer === null || imported === null) {
    const stray = importer === null ? from : to;
    return `'${stray}' belongs to no layer: add it to LAYERS in scripts/lint/layers.mjs.`;
  }
  if (importer === imported || rankOf.get(imported) < rankOf.get(importer)) return null;
  if (typeOnly && OPEN_TYPES.includes(to.replace(/\.ts$/, ''))) return null;
  return `'${importer}' may not import '${imported}': imports go down only (LAYERS in scripts/lint/layers.mjs).`;
}
