import { DuckDBTypeId } from '@duckdb/node-api';
import type {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
} from '@duckdb/node-api';
import { t } from '@lh/core';
import type { IcebergType, NestedField } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import { isVariantStruct } from '../results/codecs.ts';

/**
 * The field of a new table that holds a query's column: exactly, but for integers of 128 bits, of which those that fit
 * into 38 digits are held. Ids are yet to be given. UNSUPPORTED for a type that Iceberg has nothing like.
 */
export function icebergField(name: string, type: DuckDBType): NestedField {
  return { id: 0, name, required: false, type: icebergType(type, name) };
}

function icebergType(type: DuckDBType, column: string): IcebergType {
  const make = TYPES[type.typeId];
  if (make) return make(type, column);
  throw unsupported(
    `The column '${column}' is of type ${type.toString()}, which Iceberg has nothing like; cast it in the query, to VARCHAR for instance.`,
    { column },
  );
}

type Make = (type: DuckDBType, column: string) => IcebergType;

const leaf =
  (type: IcebergType): Make =>
  () =>
    type;

const list = (element: DuckDBType, column: string): IcebergType => ({
  kind: 'list',
  elementId: 0,
  elementRequired: false,
  element: icebergType(element, `${column}.element`),
});

/** By the ids of DuckDB's types; those that are missing have no counterpart. */
const TYPES: Readonly<Partial<Record<DuckDBTypeId, Make>>> = {
  [DuckDBTypeId.BOOLEAN]: leaf({ kind: 'boolean' }),
  [DuckDBTypeId.TINYINT]: leaf({ kind: 'int' }),
  [DuckDBTypeId.SMALLINT]: leaf({ kind: 'int' }),
  [DuckDBTypeId.INTEGER]: leaf({ kind: 'int' }),
  [DuckDBTypeId.BIGINT]: leaf({ kind: 'long' }),
  [DuckDBTypeId.UTINYINT]: leaf({ kind: 'int' }),
  [DuckDBTypeId.USMALLINT]: leaf({ kind: 'int' }),
  [DuckDBTypeId.UINTEGER]: leaf({ kind: 'long' }),
  [DuckDBTypeId.UBIGINT]: leaf({ kind: 'decimal', precision: 20, scale: 0 }),
  [DuckDBTypeId.HUGEINT]: leaf({ kind: 'decimal', precision: 38, scale: 0 }),
  [DuckDBTypeId.FLOAT]: leaf({ kind: 'float' }),
  [DuckDBTypeId.DOUBLE]: leaf({ kind: 'double' }),
  [DuckDBTypeId.DECIMAL]: (type) => {
    const { width, scale } = type as DuckDBDecimalType;
    return { kind: 'decimal', precision: width, scale };
  },
  [DuckDBTypeId.DATE]: leaf({ kind: 'date' }),
  [DuckDBTypeId.TIME]: leaf({ kind: 'time' }),
  [DuckDBTypeId.TIMESTAMP]: leaf({ kind: 'timestamp' }),
  [DuckDBTypeId.TIMESTAMP_S]: leaf({ kind: 'timestamp' }),
  [DuckDBTypeId.TIMESTAMP_MS]: leaf({ kind: 'timestamp' }),
  [DuckDBTypeId.TIMESTAMP_NS]: leaf({ kind: 'timestamp_ns' }),
  [DuckDBTypeId.TIMESTAMP_TZ]: leaf({ kind: 'timestamptz' }),
  [DuckDBTypeId.VARCHAR]: leaf({ kind: 'string' }),
  [DuckDBTypeId.ENUM]: leaf({ kind: 'string' }),
  [DuckDBTypeId.UUID]: leaf({ kind: 'uuid' }),
  [DuckDBTypeId.BLOB]: leaf({ kind: 'binary' }),
  [DuckDBTypeId.GEOMETRY]: leaf(t.geometry().type),
  [DuckDBTypeId.VARIANT]: leaf({ kind: 'variant' }),
  // As DuckDB itself has it for a column of nothing but NULL.
  [DuckDBTypeId.SQLNULL]: leaf({ kind: 'int' }),
  [DuckDBTypeId.LIST]: (type, column) => list((type as DuckDBListType).valueType, column),
  [DuckDBTypeId.ARRAY]: (type, column) => list((type as DuckDBArrayType).valueType, column),
  [DuckDBTypeId.MAP]: (type, column) => {
    const { keyType, valueType } = type as DuckDBMapType;
    return {
      kind: 'map',
      keyId: 0,
      key: icebergType(keyType, `${column}.key`),
      valueId: 0,
      valueRequired: false,
      value: icebergType(valueType, `${column}.value`),
    };
  },
  [DuckDBTypeId.STRUCT]: (type, column) => {
    const struct = type as DuckDBStructType;
    if (isVariantStruct(struct)) return { kind: 'variant' };
    const fields = struct.entryNames.map((name, i) => {
      return { id: 0, name, required: false, type: icebergType(struct.entryTypes[i]!, `${column}.${name}`) };
    });
    return { kind: 'struct', fields };
  },
};
