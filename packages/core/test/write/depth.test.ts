import { expect, test } from 'vitest';

import { storedSchema } from '../../src/formats/parquet/encode.ts';
import type { IcebergType, StructType } from '../../src/spec/types.ts';

function nested(levels: number): StructType {
  let type: IcebergType = { kind: 'long' };
  for (let level = 1; level < levels; level++) {
    type = { kind: 'struct', fields: [{ id: level + 1, name: 'inner', required: false, type }] };
  }
  return { kind: 'struct', fields: [{ id: 1, name: 'deep', required: false, type }] };
}

test('columns of up to thirty levels can be written; deeper ones are refused by name', () => {
  expect(storedSchema(nested(30)).schema.fields).toHaveLength(1);
  expect(() => storedSchema(nested(31))).toThrow(/Column 'deep' is nested more than 30 levels deep/);
});
