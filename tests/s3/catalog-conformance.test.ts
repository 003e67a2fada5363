import { FileSystemCatalog } from '@lh/core';
import { catalogConformance, type CatalogCapabilities } from '@lh/core/testing';
import { expect, test } from 'vitest';

import { newWarehouse, s3FileIO } from './support.ts';

const CAPABILITIES: CatalogCapabilities = {
  renameTable: false,
  namespaceProperties: false,
  requiresNamespace: false,
  chosenLocation: false,
  handlesFollowRenames: false,
  unfitForNames: '',
};

test.each(catalogConformance.map((each) => [each.name, each.run] as const))('%s', async (_name, run) => {
  const make = async () => {
    const io = s3FileIO();
    const catalog = await FileSystemCatalog.open({ io, warehouse: await newWarehouse() });
    return { io, catalog, capabilities: CAPABILITIES };
  };
  await expect(run(make)).resolves.toBeUndefined();
});
