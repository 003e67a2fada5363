import { invalidArgument, unsupported } from '../errors.ts';
import type { PartitionFieldInput } from '../spec/inputs.ts';
import { currentSchema, currentSpec } from '../spec/metadata-accessors.ts';
import { checkPartitionFields, defaultPartitionName, transformSource } from '../spec/partition-by.ts';
import { FIRST_PARTITION_FIELD_ID, type PartitionField } from '../spec/partition-spec.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { transformsEqual, transformToText } from '../spec/transform-text.ts';
import type { Transform } from '../spec/transform.ts';
import type { UnboundPartitionSpec } from '../spec/updates.ts';

/**
 * Changes how a table is partitioned, for files written from now on; every step sees what the ones before it did. An
 * equal field of any earlier spec gives its id to a new one (spec: "Partition Evolution"). Every method throws
 * INVALID_ARGUMENT for a change that can't be.
 */
export class SpecUpdate {
  readonly #base: TableMetadata;
  #fields: readonly PartitionField[];
  #lastPartitionId: number;

  constructor(metadata: TableMetadata) {
    this.#base = metadata;
    this.#fields = currentSpec(metadata).fields;
    this.#lastPartitionId = metadata.lastPartitionId;
    const unknown = this.#fields.find(({ transform }) => transform.kind === 'unknown');
    if (unknown) {
      throw unsupported(
        `The partition field '${unknown.name}' has the transform '${transformToText(unknown.transform)}', which is not known to this version, so the spec can't be changed.`,
      );
    }
  }

  /** Adds a field: `add(partitionBy.day('ts'))`. One that was removed before comes back as it was. */
  add(input: PartitionFieldInput): this {
    const { column, transform } = input;
    const source = transformSource(currentSchema(this.#base), column, transform, 'partition by');
    const duplicate = this.#fields.find((field) => isSame(field, source.id, transform));
    if (duplicate)
      throw invalidArgument(
        `The table is already partitioned by ${transformToText(transform)} of '${column}': the field '${duplicate.name}'.`,
      );

    if (this.#restored(source.id, transform, input.name)) return this;
    const earlier = this.#earlierField(source.id, transform, input.name);
    const fieldId = earlier?.fieldId ?? this.#newId();
    const name = input.name ?? earlier?.name ?? this.#freeName(column, transform, source.id, fieldId);
    this.#makeWay(name);
    this.#fields = [...this.#fields, { sourceIds: [source.id], fieldId, name, transform }];
    return this;
  }

  /**
   * Removes a field by its name, or by what it was made of. Tables of version 1 keep its place, with `void` in it: their
   * fields go by position.
   */
  remove(field: string | PartitionFieldInput): this {
    const removed = typeof field === 'string' ? this.#named(field) : this.#like(field);
    this.#fields =
      this.#base.formatVersion === 1 && !this.#isNew(removed)
        ? this.#fields.map((other) => (other === removed ? { ...removed, transform: VOID } : other))
        : this.#fields.filter((other) => other !== removed);
    return this;
  }

  rename(name: string, newName: string): this {
    const renamed = this.#named(name);
    if (newName === name) return this;
    this.#makeWay(newName);
    this.#fields = this.#fields.map((other) =>
      other.fieldId === renamed.fieldId ? { ...other, name: newName } : other,
    );
    return this;
  }

  /** The fields after all steps, checked as a whole. */
  apply(): UnboundPartitionSpec {
    // Fields that were there before may say the same of a column twice (day and hour, say): as in Java, only new ones may not.
    checkPartitionFields(
      currentSchema(this.#base),
      this.#fields.filter((field) => this.#isNew(field)),
    );
    checkNames(this.#fields);
    return { fields: this.#fields };
  }

  #isNew({ fieldId }: PartitionField): boolean {
    return !currentSpec(this.#base).fields.some((field) => field.fieldId === fieldId);
  }

  /** In version 1 ids are positions: they aren't written, so nothing else could be read back. */
  #newId(): number {
    if (this.#base.formatVersion === 1) return FIRST_PARTITION_FIELD_ID + this.#fields.length;
    this.#lastPartitionId += 1;
    return this.#lastPartitionId;
  }

  #named(name: string): PartitionField {
    const found = this.#fields.find((field) => field.name === name && field.transform.kind !== 'void');
    if (found) return found;
    const names = this.#fields.filter(({ transform }) => transform.kind !== 'void').map((field) => `'${field.name}'`);
    const known = names.length > 0 ? `the table is partitioned by ${names.join(', ')}` : 'the table is not partitioned';
    throw invalidArgument(`There is no partition field '${name}': ${known}.`);
  }

  #like({ column, transform }: PartitionFieldInput): PartitionField {
    const source = transformSource(currentSchema(this.#base), column, transform, 'partition by');
    const found = this.#fields.find((field) => isSame(field, source.id, transform));
    if (found) return found;
    throw invalidArgument(`The table is not partitioned by ${transformToText(transform)} of '${column}'.`);
  }

  /** Puts a field back in its place that this update has removed, or replaced by void. */
  #restored(sourceId: number, transform: Transform, name: string | undefined): boolean {
    const before = currentSpec(this.#base).fields;
    const at = before.findIndex((field) => isSame(field, sourceId, transform));
    if (at < 0) return false;
    if (name !== undefined && name !== before[at]!.name) this.#makeWay(name);
    const restored = { ...before[at]!, name: name ?? before[at]!.name };
    const place = this.#fields.findIndex(({ fieldId }) => fieldId === restored.fieldId);
    // What is left of the fields before keeps its order, in front of the new ones.
    const kept = before.slice(0, at).filter(({ fieldId }) => this.#fields.some((field) => field.fieldId === fieldId));
    this.#fields = place >= 0 ? this.#fields.with(place, restored) : this.#fields.toSpliced(kept.length, 0, restored);
    return true;
  }

  /** Ids of version 1 are positions, so that earlier ones mean nothing there. */
  #earlierField(sourceId: number, transform: Transform, name: string | undefined): PartitionField | undefined {
    if (this.#base.formatVersion === 1) return undefined;
    return this.#base.partitionSpecs
      .flatMap((spec) => spec.fields)
      .find(
        (field) =>
          isSame(field, sourceId, transform) &&
          (name === undefined || field.name === name) &&
          !this.#fields.some(({ fieldId }) => fieldId === field.fieldId),
      );
  }

  /** A name that no field of any spec has for something else: readers put the fields of all specs side by side. */
  #freeName(column: string, transform: Transform, sourceId: number, fieldId: number): string {
    const others = [...this.#base.partitionSpecs.flatMap((spec) => spec.fields), ...this.#fields].filter(
      (field) => field.transform.kind !== 'void' && !isSame(field, sourceId, transform),
    );
    const isFree = (name: string): boolean => !others.some((field) => field.name === name);
    const plain = defaultPartitionName(column, transform);
    const parameter =
      transform.kind === 'bucket' ? transform.buckets : transform.kind === 'truncate' ? transform.width : null;
    return [plain, `${plain}_${parameter ?? fieldId}`].find(isFree) ?? `${plain}_${fieldId}`;
  }

  /** Gives a dropped field of a version 1 table another name when its own is wanted. */
  #makeWay(name: string): void {
    const taken = this.#fields.find((field) => field.name === name);
    if (!taken) return;
    if (taken.transform.kind !== 'void')
      throw invalidArgument(`There is a partition field '${name}' already; give another name.`);
    this.#fields = this.#fields.map((field) =>
      field === taken ? { ...field, name: `${name}_${field.fieldId}` } : field,
    );
  }
}

const VOID: Transform = { kind: 'void' };

function isSame(field: PartitionField, sourceId: number, transform: Transform): boolean {
  return field.sourceIds.length === 1 && field.sourceIds[0] === sourceId && transformsEqual(field.transform, transform);
}

function checkNames(fields: readonly PartitionField[]): void {
  const twice = fields.find(({ name }, i) => fields.findIndex((other) => other.name === name) !== i);
  if (twice) throw invalidArgument(`Two partition fields are called '${twice.name}'; name one of them differently.`);
}
