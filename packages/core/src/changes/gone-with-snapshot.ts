import { LakehouseError } from '../errors.ts';

/** A file that a change is told by is not there (any more). */
export function goneWithSnapshot(cause: LakehouseError): LakehouseError {
  const message =
    `The changes can't be read any more: ${cause.message} ` +
    "Expiring a snapshot deletes the files that its successors don't need, and its changes with them.";
  return new LakehouseError('NOT_FOUND', message, { context: { ...cause.context }, cause });
}
