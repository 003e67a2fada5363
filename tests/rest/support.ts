import { type ErrorCode, type Identifier, LakehouseError, type RestCatalog } from '@lh/core';
import { expect } from 'vitest';

/** Drops all that a catalog has; files stay where they are. */
export async function emptyCatalog(catalog: RestCatalog, parent: Identifier = []): Promise<void> {
  for (const namespace of await catalog.listNamespaces(parent)) {
    await emptyCatalog(catalog, namespace);
    for (const table of await catalog.listTables(namespace)) await catalog.dropTable(table);
    for (const view of await catalog.views.list(namespace)) await catalog.views.drop(view);
    await catalog.dropNamespace(namespace);
  }
}

/** What a call fails with, which must be an error of the library with this code. */
export async function failure(call: Promise<unknown>, code: ErrorCode): Promise<LakehouseError> {
  const error = await call.then(
    (value) => expect.fail(`The call should have failed with ${code}, but gave ${String(value)}.`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LakehouseError);
  expect((error as LakehouseError).code, (error as Error).message).toBe(code);
  return error as LakehouseError;
}
