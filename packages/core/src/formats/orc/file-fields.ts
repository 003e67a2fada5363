import type { SourceField, SourceType } from '../../columns/source-type.ts';
import type { FileField, FileShape } from '../data-file.ts';
import { isOrcLeaf, type OrcLeaf, type OrcLeafKind, type OrcType } from './footer.ts';

/** What Iceberg keeps of its types in those of ORC (spec: appendix A, "ORC"). */
const ATTRIBUTE = {
  id: 'iceberg.id',
  longType: 'iceberg.long-type',
  timestampUnit: 'iceberg.timestamp-unit',
} as const;

/** The columns of a file; indexes of fields are the numbers of their types. */
export function orcFileFields(types: readonly OrcType[]): readonly FileField[] {
  const field = (column: number, name: string): FileField => {
    const type = types[column]!;
    const id = Number(type.attributes.get(ATTRIBUTE.id) ?? NaN);
    return { index: column, name, fieldId: Number.isSafeInteger(id) ? id : null, shape: shapeOf(type) };
  };
  const shapeOf = ({ kind, children, names }: OrcType): FileShape => {
    switch (kind) {
      case 'struct':
        return { kind, fields: children.map((child, i) => field(child, names[i]!)) };
      case 'list':
        return { kind, element: field(children[0]!, 'element') };
      case 'map':
        return { kind, key: field(children[0]!, 'key'), value: field(children[1]!, 'value') };
      default:
        return { kind: 'leaf' };
    }
  };
  const [row] = types;
  return row!.children.map((child, i) => field(child, row!.names[i]!));
}

/** A wanted field as the columns that are decoded have it; of what is inside, only the wanted fields. */
export function orcSourceField(field: FileField, types: readonly OrcType[], wanted: ReadonlySet<number>): SourceField {
  const { shape, index, name } = field;
  const inside = (child: FileField): SourceField => orcSourceField(child, types, wanted);
  const source = (type: SourceType): SourceField => ({ name, nullable: true, id: index, type });
  switch (shape.kind) {
    case 'leaf':
      return source(leafType(types[index]!));
    case 'struct':
      return source({ kind: 'struct', fields: shape.fields.filter((child) => wanted.has(child.index)).map(inside) });
    case 'list':
      return source({ kind: 'list', item: inside(shape.element) });
    case 'map':
      return source({ kind: 'map', key: inside(shape.key), value: inside(shape.value) });
  }
}

/** Unions have no type here; no column of theirs is ever decoded. */
function leafType(type: OrcType): SourceType {
  return isOrcLeaf(type) ? LEAF_TYPES[type.kind](type) : { kind: 'null' };
}

const int32 = (): SourceType => ({ kind: 'int', bits: 32, signed: true });
const text = (): SourceType => ({ kind: 'utf8' });

/** Nanoseconds are kept where Iceberg says so: as 64 bits they don't reach far. */
export function isInNanos({ attributes }: OrcType): boolean {
  return attributes.get(ATTRIBUTE.timestampUnit) === 'NANOS';
}

const timestamp =
  (zoned: boolean) =>
  (type: OrcType): SourceType => ({ kind: 'timestamp', unit: isInNanos(type) ? 'ns' : 'us', zoned });

/** Decimals of before Hive 0.13 have neither. */
const OLD_DECIMAL = { precision: 38, scale: 18 } as const;

export function orcDecimal({ precision, scale }: OrcType): { readonly precision: number; readonly scale: number } {
  return precision === 0 ? OLD_DECIMAL : { precision, scale };
}

const LEAF_TYPES: Readonly<Record<OrcLeafKind, (type: OrcLeaf) => SourceType>> = {
  boolean: () => ({ kind: 'bool' }),
  byte: int32,
  short: int32,
  int: int32,
  long: ({ attributes }) =>
    attributes.get(ATTRIBUTE.longType) === 'TIME'
      ? { kind: 'time', unit: 'us' }
      : { kind: 'int', bits: 64, signed: true },
  float: () => ({ kind: 'float', bits: 32 }),
  double: () => ({ kind: 'float', bits: 64 }),
  string: text,
  varchar: text,
  char: text,
  binary: () => ({ kind: 'binary' }),
  timestamp: timestamp(false),
  timestamp_instant: timestamp(true),
  decimal: (type) => ({ kind: 'decimal', ...orcDecimal(type) }),
  date: () => ({ kind: 'date', unit: 'day' }),
};
