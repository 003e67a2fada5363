import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { ColumnType } from '../../src/spec/schema-builder.ts';
import type { TableScan } from '../../src/table-scan.ts';
import type { Table } from '../../src/table.ts';
import { newTable } from './support.ts';

/** What the table should hold, kept by hand: columns have keys that outlive their names. */
interface Model {
  columns: Column[];
  readonly rows: Map<number, unknown>[];
  /** What every snapshot should hold, under the names and types of its time. */
  readonly snapshots: { readonly id: bigint; readonly rows: readonly object[] }[];
  nextKey: number;
}

interface Column {
  readonly key: number;
  name: string;
  kind: Kind;
  children: Column[] | null;
}

type Kind = 'int' | 'long' | 'float' | 'double' | 'string' | 'boolean' | 'date' | 'timestamptz' | 'struct';

const VALUES: { readonly [K in Exclude<Kind, 'struct'>]: (seed: number) => unknown } = {
  int: (seed) => seed - 50,
  long: (seed) => BigInt(seed) * 10_000_000_000n,
  float: (seed) => seed / 4,
  double: (seed) => seed / 3,
  string: (seed) => `text ${seed}`,
  boolean: (seed) => seed % 2 === 0,
  date: (seed) => `20${String(10 + (seed % 90))}-01-31`,
  timestamptz: (seed) => `2024-01-01T00:00:${String(seed % 60).padStart(2, '0')}.000001Z`,
};
const KINDS = Object.keys(VALUES) as Exclude<Kind, 'struct'>[];
const WIDER: Partial<Record<Kind, { kind: Kind; convert: (value: unknown) => unknown; type: () => ColumnType }>> = {
  int: { kind: 'long', convert: (value) => BigInt(value as number), type: () => t.long() },
  float: { kind: 'double', convert: (value) => value, type: () => t.double() },
};

type Step =
  | { readonly op: 'append'; readonly seeds: readonly number[] }
  | { readonly op: 'add'; readonly kind: number; readonly nested: boolean; readonly first: boolean }
  | { readonly op: 'addStruct' | 'drop' | 'rename' | 'widen' | 'move'; readonly which: number }
  | { readonly op: 'spec'; readonly which: number }
  | { readonly op: 'upgrade' };

const which = fc.nat(50);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('append' as const),
      seeds: fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('add' as const), kind: which, nested: fc.boolean(), first: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom('addStruct' as const, 'drop' as const, 'rename' as const, 'widen' as const, 'move' as const),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('spec' as const), which }) },
  { weight: 1, arbitrary: fc.constant({ op: 'upgrade' } as const) },
);

/** All columns but `id` with the columns around them, outermost first. */
function allColumns(model: Model): { column: Column; siblings: Column[]; path: string }[] {
  const walk = (siblings: Column[], prefix: string): { column: Column; siblings: Column[]; path: string }[] =>
    siblings.flatMap((column) => [
      { column, siblings, path: prefix + column.name },
      ...(column.children ? walk(column.children, `${prefix}${column.name}.`) : []),
    ]);
  return walk(model.columns, '').filter(({ path }) => path !== 'id');
}

function valueOf(column: Column, seed: number, row: Map<number, unknown>): unknown {
  if ((seed + column.key) % 5 === 0) return null;
  if (column.children) {
    // That the struct is there is kept under its own key, its fields under theirs.
    row.set(column.key, true);
    return Object.fromEntries(column.children.map((child) => [child.name, valueOf(child, seed, row)]));
  }
  const value = VALUES[column.kind as Exclude<Kind, 'struct'>](seed);
  row.set(column.key, value);
  return value;
}

function expectedValue(column: Column, row: ReadonlyMap<number, unknown>): unknown {
  const value = row.get(column.key) ?? null;
  if (value === null || !column.children) return value;
  return Object.fromEntries(column.children.map((child) => [child.name, expectedValue(child, row)]));
}

function expectedRows(model: Model): Record<string, unknown>[] {
  return model.rows.map((row) =>
    Object.fromEntries(model.columns.map((column) => [column.name, expectedValue(column, row)])),
  );
}

async function rowsById(scan: TableScan): Promise<readonly Record<string, unknown>[]> {
  return (await scan.toRows()).toSorted((a, b) => Number((a['id'] as bigint) - (b['id'] as bigint)));
}

const ID: Column = { key: 0, name: 'id', kind: 'long', children: null };

async function apply(table: Table, model: Model, step: Step): Promise<void> {
  const targets = allColumns(model);
  const pick = (n: number): (typeof targets)[number] | undefined =>
    targets.length ? targets[n % targets.length] : undefined;
  const newName = (): string => `c${model.nextKey}`;
  const partitioned = new Set(table.spec.fields.filter((f) => f.transform.kind !== 'void').flatMap((f) => f.sourceIds));
  const isPartitioned = (path: string): boolean =>
    table.schema.fields.some((field) => field.name === path && partitioned.has(field.id));
  switch (step.op) {
    case 'append': {
      const rows = step.seeds.map((seed) => {
        const row = new Map<number, unknown>([[0, BigInt(model.rows.length)]]);
        model.rows.push(row);
        const object: Record<string, unknown> = { id: row.get(0) };
        for (const column of model.columns) if (column.key !== 0) object[column.name] = valueOf(column, seed, row);
        return object;
      });
      const { snapshotId } = await table.append(rows);
      model.snapshots.push({ id: snapshotId!, rows: expectedRows(model) });
      return;
    }
    case 'add': {
      const structs = targets.filter(({ column }) => column.children);
      const parent = step.nested && structs.length > 0 ? structs[step.kind % structs.length]! : null;
      const column: Column = {
        key: model.nextKey,
        name: newName(),
        kind: KINDS[step.kind % KINDS.length]!,
        children: null,
      };
      const path = parent ? `${parent.path}.${column.name}` : column.name;
      await table.updateSchema((s) => {
        s.addColumn(path, t[column.kind as Exclude<Kind, 'struct'>]());
        if (step.first) s.moveFirst(path);
      });
      const siblings = parent ? parent.column.children! : model.columns;
      if (step.first) siblings.unshift(column);
      else siblings.push(column);
      model.nextKey++;
      return;
    }
    case 'addStruct': {
      const key = model.nextKey;
      const child: Column = { key: key + 1, name: `c${key + 1}`, kind: 'int', children: null };
      model.columns.push({ key, name: `c${key}`, kind: 'struct', children: [child] });
      await table.updateSchema((s) => s.addColumn(`c${key}`, t.struct({ [child.name]: t.int() })));
      model.nextKey += 2;
      return;
    }
    case 'drop': {
      const target = pick(step.which);
      // A struct needs a field, and a spec its columns.
      if (!target || (target.siblings !== model.columns && target.siblings.length === 1)) return;
      if (isPartitioned(target.path)) return;
      await table.updateSchema((s) => s.deleteColumn(target.path));
      target.siblings.splice(target.siblings.indexOf(target.column), 1);
      return;
    }
    case 'rename': {
      const target = pick(step.which);
      if (!target) return;
      const name = `r${model.nextKey++}`;
      await table.updateSchema((s) => s.renameColumn(target.path, name));
      target.column.name = name;
      return;
    }
    case 'widen': {
      const target = pick(step.which);
      const wider = target && WIDER[target.column.kind];
      if (!wider) return;
      await table.updateSchema((s) => s.updateColumn(target.path, wider.type()));
      target.column.kind = wider.kind;
      for (const row of model.rows) {
        const value = row.get(target.column.key);
        if (value !== undefined) row.set(target.column.key, wider.convert(value));
      }
      return;
    }
    case 'move': {
      const target = pick(step.which);
      if (!target) return;
      await table.updateSchema((s) => s.moveFirst(target.path));
      target.siblings.splice(target.siblings.indexOf(target.column), 1);
      target.siblings.unshift(target.column);
      return;
    }
    case 'spec': {
      const fields = table.spec.fields.filter((field) => field.transform.kind !== 'void');
      if (fields.length > 0 && step.which % 2 === 0) {
        await table.updateSpec((p) => p.remove(fields[step.which % fields.length]!.name));
        return;
      }
      const target = model.columns[step.which % model.columns.length]!;
      if (target.kind !== 'string' && target.kind !== 'long' && target.kind !== 'int') return;
      const name = `p${model.nextKey++}`;
      const options = { name };
      const input =
        step.which % 3 === 0
          ? partitionBy.bucket(3, target.name, options)
          : partitionBy.truncate(7, target.name, options);
      const same = fields.some(
        (field) =>
          field.transform.kind === input.transform.kind &&
          table.schema.fields.some((column) => column.id === field.sourceIds[0] && column.name === target.name),
      );
      if (same) return;
      await table.updateSpec((p) => p.add(input));
      return;
    }
    case 'upgrade': {
      const next = table.formatVersion === 1 ? 2 : 3;
      await table.upgradeFormatVersion(next);
    }
  }
}

test('random sequences of schema, spec and format changes between appends read back what was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 5, maxLength: 25 }),
      fc.constantFrom(1 as const, 2 as const, 3 as const),
      async (steps, formatVersion) => {
        const table = await newTable({
          schema: schema({ id: t.long().required() }),
          formatVersion,
          properties: { 'commit.manifest.min-count-to-merge': '3' },
        });
        const model: Model = { columns: [{ ...ID }], rows: [], snapshots: [], nextKey: 1 };
        for (const one of steps) await apply(table, model, one);

        expect(table.schema.fields.map((field) => field.name)).toEqual(model.columns.map((column) => column.name));
        const expected = expectedRows(model);
        const rows = await rowsById(table.scan());
        expect(rows).toEqual(expected);
        expect(await table.scan().count()).toBe(expected.length);
        for (const snapshot of model.snapshots) {
          expect(await rowsById(table.scan({ snapshotId: snapshot.id }))).toEqual(snapshot.rows);
        }
        // Filters see through every change as well.
        for (const column of model.columns) {
          if (column.children) continue;
          const nulls = expected.filter((row) => row[column.name] === null).length;
          expect(await table.scan({ filter: `${column.name} IS NULL` }).count()).toBe(nulls);
        }
      },
    ),
    { numRuns: runs(20) },
  );
}, 120_000);
