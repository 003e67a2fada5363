import { unsupported } from '../../errors.ts';
import type { FileField } from '../data-file.ts';
import type { AvroRecord, AvroType } from './avro-schema.ts';

/** A field of an Avro data file: its type without the union that lets it be null. */
export interface AvroFileField extends FileField {
  readonly type: AvroType;
  /** What the branches of its union are: false stands for null. Null if it isn't one. */
  readonly branches: readonly boolean[] | null;
  readonly shape: AvroShape;
}

export type AvroShape =
  | { readonly kind: 'leaf' }
  /** All fields of the record, in its order. */
  | { readonly kind: 'struct'; readonly fields: readonly AvroFileField[] }
  | { readonly kind: 'list'; readonly element: AvroFileField }
  | { readonly kind: 'map'; readonly key: AvroFileField; readonly value: AvroFileField };

/** The fields of a file's schema. UNSUPPORTED if its records are none. */
export function avroFileFields(schema: AvroType, location: string): readonly AvroFileField[] {
  if (schema.kind !== 'record') {
    throw unsupported(`The Avro file ${location} holds values of type ${schema.kind}; only records are rows.`, {
      location,
    });
  }
  return new FieldNumbering().record(schema);
}

/** Numbers fields depth first: a type may be used in several places, and each is a field of its own. */
class FieldNumbering {
  #next = 0;

  record(record: AvroRecord): readonly AvroFileField[] {
    return record.fields.map(({ name, type, fieldId }) => this.#field(name, type, fieldId));
  }

  #field(name: string, type: AvroType, fieldId: number | null): AvroFileField {
    const index = this.#next++;
    const { value, branches } = withoutNull(type);
    return { index, name, fieldId, type: value, branches, shape: this.#shape(value) };
  }

  #shape(type: AvroType): AvroShape {
    switch (type.kind) {
      case 'record':
        return { kind: 'struct', fields: this.record(type) };
      case 'map': {
        const key = this.#field('key', { kind: 'string', logical: null }, type.keyId);
        return { kind: 'map', key, value: this.#field('value', type.values, type.valueId) };
      }
      case 'array':
        return this.#mapOfPairs(type) ?? { kind: 'list', element: this.#field('element', type.items, type.elementId) };
      default:
        return { kind: 'leaf' };
    }
  }

  /** Maps whose keys aren't text are arrays of pairs (spec: appendix A, "Avro"). */
  #mapOfPairs(type: Extract<AvroType, { kind: 'array' }>): AvroShape | null {
    const { items, logical } = type;
    if (logical?.name !== 'map' || items.kind !== 'record' || items.fields.length !== 2) return null;
    const [key, value] = this.record(items);
    return { kind: 'map', key: { ...key!, name: 'key' }, value: { ...value!, name: 'value' } };
  }
}

/** A union with null, in either order, is a value that may be null. Other unions stay what they are. */
function withoutNull(type: AvroType): { readonly value: AvroType; readonly branches: readonly boolean[] | null } {
  if (type.kind !== 'union') return { value: type, branches: null };
  const [value, ...others] = type.branches.filter((branch) => branch.kind !== 'null');
  if (others.length > 0) return { value: type, branches: null };
  return {
    value: value ?? { kind: 'null', logical: null },
    branches: type.branches.map((branch) => branch.kind !== 'null'),
  };
}
