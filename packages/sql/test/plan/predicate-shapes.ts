/** What people write in filters, for the catalogue of `docs/pruning.md`. */
export interface PredicateShape {
  /** A predicate on `events`, or a whole query with `{events}` and `{days}` in the place of the tables. */
  readonly sql: string;
  /** Of a whole query: what rows of `events` it is about, as a predicate on them; or so many files. */
  readonly about?: string | number;
  /** The session's time zone; UTC if left out. */
  readonly timeZone?: string;
  readonly parameters?: readonly string[];
  /** Why more files are read than hold a row that passes. */
  readonly because?: string;
}

export interface ShapeGroup {
  readonly title: string;
  readonly shapes: readonly PredicateShape[];
}

const CASE_FOLDING = 'bounds are ordered by bytes: letters of either case are apart';
const ANYWHERE = 'files keep no statistic of what is inside a text';
const REPEATS = 'the values come again every year, day or few numbers';
const TWO_COLUMNS = 'two columns are compared with each other';
const NEGATED = 'a file may have other rows between its bounds';

export const SHAPES: readonly ShapeGroup[] = [
  {
    title: 'Comparisons',
    shapes: [
      { sql: 'id = 57' },
      { sql: 'id <> 57' },
      { sql: 'id > 200' },
      { sql: '200 < id' },
      { sql: 'id >= 30 AND id < 45' },
      { sql: 'id BETWEEN 30 AND 45' },
      { sql: 'id NOT BETWEEN 30 AND 225' },
      { sql: 'id IN (3, 57, 230)' },
      { sql: 'id NOT IN (3, 57, 230)' },
      { sql: 'n IS NULL' },
      { sql: 'n IS NOT NULL' },
      { sql: 'n IS DISTINCT FROM 7' },
      { sql: 'n IS NOT DISTINCT FROM 7' },
      { sql: 'n IS NOT DISTINCT FROM NULL' },
      { sql: 'n = NULL' },
      { sql: 'amount > 215.5' },
      { sql: 'amount = 30' },
      { sql: 'x > 22.5' },
      { sql: "x = 'nan'::DOUBLE" },
      { sql: 'isnan(x)' },
      { sql: 'f <= 1.5' },
      { sql: "d = DATE '2023-12-03'" },
      { sql: "ts >= TIMESTAMP '2024-03-20 12:00:00'" },
      { sql: "tz < TIMESTAMPTZ '2023-10-03 10:00:00+02'" },
      { sql: 'flag' },
      { sql: 'NOT flag' },
      { sql: 'flag IS NOT TRUE' },
      { sql: "u = '0b000000-0000-4000-8000-000000000001'" },
      { sql: "bin = '\\x05\\x01'::BLOB" },
      { sql: 'st.a = 7' },
      { sql: "st.s IN ('s01', 's20')" },
      { sql: 'st IS NULL', because: 'files keep no statistics of a struct as a whole' },
      { sql: 'n = id', because: TWO_COLUMNS },
      { sql: '1 = 0', about: 0 },
    ],
  },
  {
    title: 'AND, OR, NOT',
    shapes: [
      { sql: 'id < 20 OR id > 220' },
      { sql: "(id < 50 AND city LIKE 'b%') OR (id > 200 AND flag)" },
      { sql: 'NOT (id > 20 AND id < 230)' },
      { sql: 'NOT (id < 20 OR flag)' },
      { sql: '(id > 200) IS TRUE' },
      { sql: '(n > 3) IS NOT TRUE' },
      { sql: "id > 200 AND city LIKE '%7%'" },
      { sql: "id > 200 OR contains(city, 'zz')", because: ANYWHERE },
    ],
  },
  {
    title: 'Texts',
    shapes: [
      { sql: "city = 'c02-3'" },
      { sql: "city LIKE 'c0%'" },
      { sql: "city LIKE 'c_2-3'" },
      { sql: "city LIKE 'd%' OR city LIKE 'e%'" },
      { sql: "city NOT LIKE 'c%'" },
      { sql: "city ILIKE 'C%'", because: CASE_FOLDING },
      { sql: "starts_with(city, 'f')" },
      { sql: "city ^@ 'f'" },
      { sql: "city GLOB 'f*'" },
      { sql: "city SIMILAR TO 'f.*'" },
      { sql: "regexp_matches(city, '^f')" },
      { sql: "left(city, 1) = 'g'" },
      { sql: "substring(city, 1, 3) IN ('a00', 'h07')" },
      { sql: "city[1:1] >= 'w'" },
      { sql: "lower(city) = 'c02-3'", because: CASE_FOLDING },
      { sql: "city LIKE '%2-3'", because: ANYWHERE },
      { sql: "contains(city, '2-3')", because: ANYWHERE },
      { sql: 'length(city) > 6', because: ANYWHERE },
    ],
  },
  {
    title: 'Casts',
    shapes: [
      { sql: 'id = 57.0' },
      { sql: 'id > 199.5::DOUBLE' },
      { sql: 'id::INTEGER = 57' },
      { sql: 'n::BIGINT = 7' },
      { sql: 'id::DOUBLE < 12.5' },
      { sql: 'id::DECIMAL(20, 2) < 12.5' },
      { sql: "id::VARCHAR = '57'" },
      { sql: 'x::INTEGER = 3 AND NOT isnan(x)' },
      { sql: 'amount::INTEGER = 30' },
      { sql: 'amount::DOUBLE > 215.5' },
      { sql: 'f = 2.5::DOUBLE' },
      { sql: "d = TIMESTAMP '2023-12-03 00:00:00'" },
      { sql: "d::VARCHAR LIKE '2023-12-0%'" },
      { sql: "ts::VARCHAR LIKE '2023-12%'" },
      { sql: 'TRY_CAST(city AS INTEGER) = 3', because: 'texts of numbers are not in the order of the numbers' },
    ],
  },
  {
    title: 'Dates and times',
    shapes: [
      { sql: "ts::DATE = DATE '2023-12-03'" },
      { sql: "tz::DATE = DATE '2023-12-03'" },
      { sql: "tz::DATE = DATE '2023-12-03'", timeZone: 'Europe/Berlin' },
      { sql: "tz::DATE = DATE '2023-12-03'", timeZone: 'America/New_York' },
      { sql: "ts::DATE IN (DATE '2023-12-03', DATE '2024-03-03')" },
      { sql: "tz >= '2024-03-20'", timeZone: 'Asia/Tokyo' },
      { sql: "tz::TIMESTAMP < TIMESTAMP '2023-10-03 08:00:00'" },
      { sql: "tz AT TIME ZONE 'America/New_York' < TIMESTAMP '2023-10-03 05:00:00'" },
      { sql: "date_trunc('month', ts) = TIMESTAMP '2023-12-01'" },
      { sql: "date_trunc('month', tz) = TIMESTAMPTZ '2023-12-01 00:00:00+00'" },
      { sql: "date_trunc('week', d) >= DATE '2024-03-11'" },
      { sql: "time_bucket(INTERVAL '1 day', ts) = TIMESTAMP '2023-12-03'" },
      { sql: 'year(ts) = 2024' },
      { sql: 'extract(year FROM tz) = 2024' },
      { sql: "date_part('year', d) < 2024" },
      { sql: 'year(ts) = 2024 AND month(ts) = 2', because: REPEATS },
      { sql: 'month(ts) = 2', because: REPEATS },
      { sql: 'hour(ts) = 3', because: REPEATS },
      { sql: "ts::TIME < TIME '01:00:00'", because: REPEATS },
      { sql: "strftime(ts, '%Y-%m') = '2023-12'" },
      { sql: "strftime(d, '%Y%m%d') >= '20240320'" },
      { sql: "strftime(ts, '%d.%m.%Y') = '03.12.2023'", because: 'written with the day first, dates are out of order' },
      { sql: "ts + INTERVAL 1 DAY > TIMESTAMP '2024-03-25'" },
      {
        sql: "ts - INTERVAL 2 MONTH > TIMESTAMP '2024-01-20'",
        because: 'months have different lengths, so some days are added on both sides',
      },
      { sql: "ts >= TIMESTAMP '2024-03-28' - INTERVAL 7 DAY" },
      { sql: "d + 3 > DATE '2024-03-25'" },
      { sql: "d - DATE '2023-10-01' < 5" },
      { sql: "datediff('day', d, DATE '2024-03-28') < 5" },
      { sql: 'epoch_ms(ts) < 1696300000000' },
      { sql: "last_day(d) = DATE '2023-12-31'" },
      { sql: 'ts >= now() - INTERVAL 1 HOUR' },
    ],
  },
  {
    title: 'Arithmetic and conditions',
    shapes: [
      { sql: 'id + 1 > 220' },
      { sql: '1000 - id > 980' },
      { sql: '-id > -15' },
      { sql: 'id * 2 < 30' },
      { sql: 'id / 10 < 1.5' },
      { sql: 'id // 10 = 7' },
      { sql: 'id % 100 = 3', because: REPEATS },
      { sql: 'abs(id - 120) < 10' },
      { sql: 'floor(x) = 3' },
      { sql: 'round(amount) = 30' },
      { sql: 'x * 2 + 1 > 46' },
      { sql: 'amount * 2 > 431' },
      { sql: 'coalesce(n, -1) > 20' },
      { sql: 'coalesce(n, -1) = -1' },
      { sql: 'greatest(id, 100) > 200' },
      { sql: 'least(id, 100) < 20' },
      { sql: 'nullif(id, 57) < 15' },
      { sql: "CASE WHEN id < 20 THEN 'small' ELSE 'large' END = 'small'" },
      { sql: "CASE WHEN id < 20 THEN 'small' ELSE 'large' END = 'large'" },
      { sql: 'if(flag, id, 0) > 220' },
      { sql: 'sqrt(id) < 4', because: 'functions beyond those listed here are not looked through' },
      { sql: '(n, id) = (7, 71)' },
      { sql: '(id, n) > (225, 0)' },
      { sql: '(n, st.a) IN ((7, 7), (20, 20))' },
      { sql: 'id + n > 240', because: TWO_COLUMNS },
    ],
  },
  {
    title: 'Parameters, views and subqueries in FROM',
    shapes: [
      { sql: 'id = $1', parameters: ['57'], about: 'id = 57' },
      { sql: 'WITH late AS (SELECT * FROM {events}) SELECT id FROM late WHERE id > 200', about: 'id > 200' },
      { sql: 'SELECT id FROM (SELECT id, id * 2 AS twice FROM {events}) WHERE twice < 30', about: 'id * 2 < 30' },
      {
        sql: "SELECT d, count(*) AS c FROM {events} GROUP BY d HAVING d > DATE '2024-03-20'",
        about: "d > DATE '2024-03-20'",
      },
      { sql: 'SELECT id FROM {events} WHERE id < 20 UNION ALL SELECT id FROM {events} WHERE id > 220', about: 4 },
      { sql: 'SELECT DISTINCT city FROM {events} WHERE id < 20', about: 'id < 20' },
      {
        sql:
          'SELECT id FROM (SELECT id, d, row_number() OVER (PARTITION BY d ORDER BY id) AS r FROM {events}) ' +
          "WHERE d = DATE '2023-12-03' AND r = 1",
        about: "d = DATE '2023-12-03'",
      },
      {
        sql: 'SELECT id FROM {events} QUALIFY row_number() OVER (PARTITION BY flag ORDER BY id) = 1',
        about: 'id IN (0, 120)',
        because: 'what a window function gives is known only after its rows were read',
      },
      { sql: 'SELECT id FROM {events} e LEFT JOIN {days} h ON e.d = h.day WHERE e.id > 200', about: 'id > 200' },
      {
        sql: 'SELECT e.id FROM {days} h RIGHT JOIN {events} e ON e.d = h.day AND e.id > 200',
        about: 24,
      },
    ],
  },
  {
    title: 'Keys of other tables (dynamic)',
    shapes: [
      {
        sql: 'SELECT e.id FROM {events} e JOIN {days} h ON e.d = h.day WHERE h.holiday',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: "SELECT e.id FROM {events} e JOIN {days} h ON e.ts::DATE = h.day WHERE lower(h.name) = 'day 3'",
        about: "ts::DATE IN (SELECT day FROM days WHERE name = 'Day 3')",
      },
      {
        sql: 'SELECT id FROM {events} WHERE d IN (SELECT day FROM {days} WHERE holiday)',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: 'SELECT id FROM {events} WHERE d = (SELECT max(day) FROM {days})',
        about: 'd = (SELECT max(day) FROM days)',
      },
      {
        sql: 'SELECT id FROM {events} WHERE d > (SELECT max(day) FROM {days} WHERE holiday)',
        about: 'd > (SELECT max(day) FROM days WHERE holiday)',
      },
      {
        sql: 'SELECT id FROM {events} e WHERE EXISTS (SELECT 1 FROM {days} h WHERE h.day = e.d AND h.holiday)',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: 'SELECT e.id FROM {days} h LEFT JOIN {events} e ON e.d = h.day WHERE h.holiday',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: "SELECT e.id FROM {events} e JOIN {days} h ON e.d BETWEEN h.day AND h.day + 1 WHERE h.name = 'Day 3'",
        about: "d IN (SELECT day + i FROM days, (VALUES (0), (1)) v(i) WHERE name = 'Day 3')",
      },
      {
        sql: 'WITH h AS MATERIALIZED (SELECT day FROM {days} WHERE holiday) SELECT id FROM {events} JOIN h ON d = day',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: "SELECT id FROM {events} JOIN (VALUES (DATE '2023-12-03'), (DATE '2024-03-03')) v(day) ON d = day",
        about: "d IN ('2023-12-03', '2024-03-03')",
      },
      {
        sql: 'SELECT d, count(*) AS c FROM (SELECT d FROM {events}) JOIN {days} ON d = day WHERE holiday GROUP BY d',
        about: 'd IN (SELECT day FROM days WHERE holiday)',
      },
      {
        sql: 'SELECT id FROM {events} WHERE d NOT IN (SELECT day FROM {days} WHERE holiday)',
        about: 'd NOT IN (SELECT day FROM days WHERE holiday)',
        because: NEGATED,
      },
      {
        sql: 'SELECT id FROM {events} WHERE id = 3 OR d IN (SELECT day FROM {days} WHERE holiday)',
        about: 'id = 3 OR d IN (SELECT day FROM days WHERE holiday)',
        because: 'the rows that an OR takes besides have no key',
      },
    ],
  },
  {
    title: 'LIMIT, ORDER BY and aggregates',
    shapes: [
      { sql: 'SELECT id >= 0 AS known FROM {events} LIMIT 15', about: 2 },
      {
        sql: 'SELECT id >= 200 AS known FROM {events} WHERE id >= 200 LIMIT 5',
        about: 1,
        because: 'the filter is on no partition: which files match as a whole is not asked',
      },
      { sql: 'SELECT id FROM {events} ORDER BY ts LIMIT 5', about: 1 },
      { sql: 'SELECT id FROM {events} ORDER BY id DESC LIMIT 15 OFFSET 5', about: 2 },
      { sql: 'SELECT city FROM {events} ORDER BY city, id LIMIT 3', about: 1 },
      { sql: 'SELECT count(*) AS c FROM {events}', about: 0 },
      { sql: "SELECT count(*) AS c FROM {events} WHERE ts >= TIMESTAMP '2024-01-01'", about: 0 },
      { sql: 'SELECT min(id) AS a, max(ts) AS b, min(amount) AS c, count(n) AS d FROM {events}', about: 0 },
      { sql: 'SELECT max(d) - min(d) AS days FROM {events}', about: 0 },
      {
        sql: 'SELECT min(city) AS a FROM {events}',
        about: 1,
        because: 'the bounds of texts may be cut off, and then are no values',
      },
      {
        sql: 'SELECT count(*) AS c FROM {events} WHERE id >= 200',
        about: 0,
      },
      { sql: 'SELECT count(*) AS c, max(ts) AS t FROM {events} WHERE id >= 195', about: 1 },
    ],
  },
];
