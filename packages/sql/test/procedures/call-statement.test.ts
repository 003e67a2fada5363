import { describe, expect, test } from 'vitest';
import { callStatement } from '../../src/procedures/call-statement.ts';
import { sortOrderText } from '../../src/procedures/sort-order-text.ts';
import { tokenize } from '../../src/text/tokens.ts';

const parsed = (sql: string) => callStatement(sql, tokenize(sql));

describe('CALL', () => {
  test('of a procedure, with arguments by place and by name', () => {
    expect(
      parsed("CALL system.Rewrite_Data_Files('a.b', options => map('x', '1', 'y', '2'), where => 'id > 5')"),
    ).toEqual({
      catalog: null,
      procedure: 'rewrite_data_files',
      args: [
        { name: null, sql: "'a.b'" },
        { name: 'options', sql: "MAP {'x': '1', 'y': '2'}" },
        { name: 'where', sql: "'id > 5'" },
      ],
    });
    expect(
      parsed('call prod.system.expire_snapshots(snapshot_ids := array(1, 2), older_than => now() - INTERVAL 1 DAY)'),
    ).toEqual({
      catalog: 'prod',
      procedure: 'expire_snapshots',
      args: [
        { name: 'snapshot_ids', sql: '[1, 2]' },
        { name: 'older_than', sql: 'now() - INTERVAL 1 DAY' },
      ],
    });
    expect(parsed('CALL system.x()')!.args).toEqual([]);
  });

  test.each([
    'CALL pragma_version()',
    'CALL system.x',
    'CALL system.x() + 1',
    'SELECT system.x()',
    "CALL a.b.system.x('y')",
  ])('is none: %s', (sql) => expect(parsed(sql)).toBeNull());
});

describe('sort orders', () => {
  test('are columns with directions, or a z-order', () => {
    expect(sortOrderText('id DESC NULLS LAST, a.b, `x y` asc nulls first')).toEqual({
      sortBy: [
        { field: 'id', direction: 'desc', nulls: 'last' },
        { field: 'a.b', direction: 'asc' },
        { field: 'x y', direction: 'asc', nulls: 'first' },
      ],
    });
    expect(sortOrderText('zorder(a, b.c)')).toEqual({ zOrderBy: ['a', 'b.c'] });
  });

  test.each(['', 'id,', 'zorder(a', 'id NULLS', 'id sideways', '1'])("'%s' is none", (text) => {
    expect(() => sortOrderText(text)).toThrow(/no sort order/);
  });
});
