import fc from 'fast-check';

export const DOUBLES: readonly string[] = [
  '-1e300',
  '-1.5',
  '-0.0',
  '0.0',
  '1.5',
  '2.5',
  '1e300',
  "'nan'::DOUBLE",
  "'inf'::DOUBLE",
  "'-inf'::DOUBLE",
];
export const STRINGS: readonly string[] = ['', 'a', 'ab', 'abc', 'abd', 'b', 'B', 'zz', 'é', '😀', 'a%b', "q'q"];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const date = fc.date({
  min: new Date(Date.UTC(2023, 9, 25)),
  max: new Date(Date.UTC(2024, 2, 10)),
  noInvalidDate: true,
});
const day = date.map((value) => value.toISOString().slice(0, 10));
const second = date.map((value) => value.toISOString().slice(0, 19).replace('T', ' '));
const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');
const compare = (left: string, right: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(comparison, right).map(([op, value]) => `${left} ${op} ${value}`);
const string = fc.constantFrom(...STRINGS).map(quoted);
const integer = fc.integer({ min: -12, max: 60 }).map(String);

const literalDay = day.map((value) => `DATE '${value}'`);
const literalSecond = second.map((value) => `TIMESTAMP '${value}'`);
const literalInstant = second.map((value) => `TIMESTAMPTZ '${value}+01'`);
const double = fc.constantFrom(...DOUBLES, '0.5', '-3.25', '4');
const unit = fc.constantFrom('year', 'quarter', 'month', 'week', 'day', 'hour');

/** Functions of one column, which files are pruned through. */
const computed: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'i + 1',
        'i - 3',
        '5 - i',
        '-i',
        'i * 2',
        'i * -3',
        'i // 3',
        'i // -2',
        'abs(i)',
        'abs(i - 2)',
        'coalesce(i, 4)',
        'coalesce(i + 1, 4)',
        'greatest(i, 2)',
        'least(i, 2)',
        'greatest(i, l)',
        'CASE WHEN i > 3 THEN 1 WHEN b THEN i ELSE 7 END',
        'if(b, i, 3)',
        'nullif(i, 3)',
        'TRY_CAST(l::DOUBLE AS BIGINT)',
        'dec::INTEGER',
        'year(d) - 2000',
        "datediff('day', d, DATE '2024-01-01')",
        "d - DATE '2024-01-01'",
        'st.a + 1',
        'TRY_CAST(x AS INTEGER)',
      ),
      integer,
    )
    .chain(([left, value]) => compare(left, fc.constant(value))),
  compare('i / 2', fc.oneof(double, integer)),
  fc
    .constantFrom(
      'x + 1',
      'x * 2',
      '-x',
      'abs(x)',
      'floor(x)',
      'ceil(x)',
      'round(x, 1)',
      'f + 0.5',
      'f * 3',
      'trunc(x)',
      'x / 3',
      '1 - x',
    )
    .chain((left) => compare(left, double)),
  fc
    .constantFrom('dec + 1', 'dec * 2', '-dec', 'floor(dec)', 'round(dec)', 'dec::DECIMAL(9, 1)', 'dec::DOUBLE + 1')
    .chain((left) => compare(left, fc.constantFrom('1', '2.5', '-0.25', '11'))),
  fc
    .constantFrom(
      'd + 3',
      'd - 20',
      'ts::date + 1',
      'last_day(d)',
      "date_trunc('month', d) + INTERVAL 3 DAY",
      'coalesce(d, ts::date)',
    )
    .chain((left) => compare(left, literalDay)),
  fc
    .constantFrom(
      'ts + INTERVAL 1 DAY',
      'ts - INTERVAL 36 HOUR',
      'ts + INTERVAL 1 MONTH',
      'ts - INTERVAL 3 MONTH',
      'd + INTERVAL 2 MONTH',
      'd - INTERVAL 5 DAY',
      "time_bucket(INTERVAL '1 week', ts)",
      "time_bucket(INTERVAL '2 month', ts)",
      'tz::TIMESTAMP',
      "tz AT TIME ZONE 'America/New_York'",
    )
    .chain((left) => compare(left, literalSecond)),
  fc
    .constantFrom('tz + INTERVAL 1 DAY', 'tz - INTERVAL 1 MONTH', 'ts::TIMESTAMPTZ')
    .chain((left) => compare(left, literalInstant)),
  unit.chain((name) => compare(`date_trunc('${name}', ts) + INTERVAL 1 HOUR`, literalSecond)),
  unit.chain((name) => compare(`date_trunc('${name}', tz) + INTERVAL 1 HOUR`, literalInstant)),
  compare(
    'epoch_ms(tz)',
    second.map((value) => String(Date.parse(`${value}Z`))),
  ),
  compare(
    'epoch(ts)',
    second.map((value) => String(Date.parse(`${value}Z`) / 1000)),
  ),
  compare(
    'd::VARCHAR',
    day.map((value) => quoted(value)),
  ),
  fc
    .tuple(fc.constantFrom('%Y', '%Y-%m', '%Y%m%d', '%Y/%m/%d %H'), fc.constantFrom('d', 'ts', 'tz'), day, fc.nat(10))
    .chain(([format, column, value, length]) =>
      compare(
        `strftime(${column}, '${format}')`,
        fc.constant(quoted(value.replaceAll('-', /[-/]/.exec(format)?.[0] ?? '').slice(0, length))),
      ),
    ),
  fc
    .tuple(fc.constantFrom('d', 'ts', 'tz'), day, fc.nat(10))
    .map(([column, value, length]) => `${column}::VARCHAR LIKE '${value.slice(0, length)}%'`),
  fc
    .constantFrom('left(s, 2)', 'left(s, 1)', 's[1:2]', 'substring(s, 1, 3)', 'left(s, -1)', 'substr(st.c.s, 1, 1)')
    .chain((left) => compare(left, string)),
  fc
    .tuple(fc.constantFrom('=', '<', '>', '<=', '>='), integer, integer)
    .map(([op, a, b]) => `(i, l) ${op} (${a}, ${b})`),
  fc.tuple(integer, integer).map(([a, b]) => `(i, st.a) IN ((${a}, 1), (${b}, 2))`),
  fc.constantFrom(
    "s GLOB 'a*'",
    "s SIMILAR TO 'ab?c.*'",
    "s SIMILAR TO 'ab+'",
    "regexp_matches(s, '^ab')",
    "CASE WHEN i > 2 THEN 'a' ELSE s END = 'a'",
    "coalesce(s, 'b') = 'b'",
    '(i > 3) IS NOT TRUE',
    '(i = 3) IS NOT FALSE',
    '(i > 3) IS FALSE',
    '(b AND i > 2) IS NOT TRUE',
  ),
  compare('i::VARCHAR', fc.constantFrom("'3'", "'-4'", "'03'", "'x'")),
);

const predicate: fc.Arbitrary<string> = fc.oneof(
  compare('i', fc.oneof(integer, fc.constantFrom('3.5', '-2.5', '1e0', '3000000000', 'NULL'))),
  compare('l', fc.oneof(integer, fc.constantFrom('9007199254740993', '9223372036854775807', '1.5', '12.0'))),
  compare('x', fc.oneof(fc.constantFrom(...DOUBLES), integer)),
  compare('f', fc.constantFrom('0.1', '0.1::FLOAT', '0', '-0.0::FLOAT', '2.5', "'nan'::FLOAT")),
  compare('s', string),
  compare(
    'd',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    'd',
    second.map((value) => `TIMESTAMP '${value}'`),
  ),
  compare(
    'ts',
    fc.oneof(
      day.map((value) => `DATE '${value}'`),
      second.map((value) => `TIMESTAMP '${value}'`),
      second.map((value) => `TIMESTAMPTZ '${value}+02'`),
    ),
  ),
  compare(
    'tz',
    fc.oneof(
      second.map(quoted),
      second.map((value) => `TIMESTAMPTZ '${value}+05:30'`),
      day.map((value) => `DATE '${value}'`),
    ),
  ),
  compare('dec', fc.constantFrom('1.25', '1.255', '10', '0', '-1.25', '1.25::DOUBLE', '1234567.89::DOUBLE', '1e20')),
  compare(
    'ts::date',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    'tz::date',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    "date_trunc('month', ts)",
    day.map((value) => `DATE '${value}'`),
  ),
  compare('year(ts)', fc.constantFrom('2023', '2024', '1900')),
  compare('year(tz)', fc.constantFrom('2023', '2024')),
  compare('year(d)', fc.constantFrom('2023', '2024')),
  compare('st.a', integer),
  compare('st.c.s', string),
  compare('i::BIGINT', integer),
  compare('i::DOUBLE', fc.constantFrom('0.5', '3', '-2.0', "'nan'::DOUBLE")),
  computed,
  fc.constantFrom(
    'b',
    'NOT b',
    'b IS NULL',
    'b IS NOT TRUE',
    'isnan(x)',
    'NOT isnan(f)',
    'st IS NULL',
    'st.c IS NOT NULL',
    'st.a IS NULL',
    'x = x',
    'i = l',
    'i < l',
    'true',
    'NULL',
    "s = 'a' IS NULL",
  ),
  fc
    .tuple(
      fc.constantFrom('i', 'l', 'st.a'),
      fc.constantFrom('IN', 'NOT IN'),
      fc.array(fc.oneof(integer, fc.constant('NULL')), { minLength: 1, maxLength: 6 }),
    )
    .map(([column, op, values]) => `${column} ${op} (${values.join(', ')})`),
  fc
    .tuple(
      fc.constantFrom('s', 'st.c.s'),
      fc.constantFrom('IN', 'NOT IN'),
      fc.array(string, { minLength: 1, maxLength: 5 }),
    )
    .map(([column, op, values]) => `${column} ${op} (${values.join(', ')})`),
  fc
    .tuple(fc.constantFrom('x', 'f'), fc.array(fc.constantFrom(...DOUBLES), { minLength: 1, maxLength: 4 }))
    .map(([column, values]) => `${column} IN (${values.join(', ')})`),
  fc
    .tuple(
      fc.constantFrom('s LIKE', 's NOT LIKE', 's ILIKE'),
      fc.constantFrom("'a%'", "'%b'", "'a_c'", "'ab%d'", "'abc'", "'a\\%b'", "'%'", "''"),
    )
    .map(([op, pattern]) => `${op} ${pattern}`),
  fc
    .tuple(fc.constantFrom('starts_with(s, ', 'prefix(s, ', 'contains(s, '), string)
    .map(([call, value]) => `${call}${value})`),
  fc.tuple(day, day).map(([from, to]) => `d BETWEEN '${from}' AND '${to}'`),
  fc.tuple(second, second).map(([from, to]) => `tz BETWEEN '${from}' AND '${to}'`),
  fc.constantFrom(
    "s COLLATE NOCASE = 'b'",
    "lower(s) = 'b'",
    'coalesce(i, 0) > 0',
    'CASE WHEN i > 0 THEN true ELSE b END',
    'TRY_CAST(s AS INTEGER) = 1',
    '(i, l) = (1, 7)',
    'i IN (SELECT 3)',
  ),
);

/** Filters in the forms that DuckDB's optimizer turns into ranges, in those that are looked through, and in others. */
export const filter: fc.Arbitrary<string> = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    predicate,
    fc.tuple(tie('filter'), tie('filter')).map(([left, right]) => `(${left} AND ${right})`),
    fc.tuple(tie('filter'), tie('filter')).map(([left, right]) => `(${left} OR ${right})`),
    tie('filter').map((inner) => `NOT (${inner})`),
  ),
})).filter;
