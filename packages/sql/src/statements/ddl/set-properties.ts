import type { Transaction } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import type { Properties } from './properties.ts';

/** Sets properties. Other engines raise a table's format version in this way, too. */
export function setProperties(
  { 'format-version': version, ...properties }: Properties,
  transaction: Transaction,
): void {
  if (version !== undefined) {
    const number = Number(version);
    if (number !== 1 && number !== 2 && number !== 3) throw invalidArgument(`There is no format version ${version}.`);
    transaction.upgradeFormatVersion(number);
  }
  if (Object.keys(properties).length > 0) transaction.setProperties(properties);
}
