"""What PyIceberg takes for the jobs of these benchmarks, in a folder that is given, with its catalog in SQLite."""
import itertools
import resource
import sys

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog

from protocol import serve

folder = sys.argv[1]
catalog = SqlCatalog('bench', uri=f'sqlite:///{folder}/catalog.db', warehouse=f'file://{folder}')
catalog.create_namespace('bench')
numbers = itertools.count()


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def new_table(schema):
    return catalog.create_table(f'bench.t{next(numbers)}', schema=schema)


def commits(count):
    """Appends of one row, one after the other."""
    row = pa.table({'id': pa.array([1], pa.int64()), 'name': ['row 1'], 'value': [0.5]})
    table = new_table(row.schema)
    table.append(row)
    yield
    for _ in range(count):
        table.append(row)
    yield len(table.snapshots()) - 1


LOG = pa.schema([
    ('id', pa.int64()),
    ('ts', pa.timestamp('us', tz='UTC')),
    ('method', pa.string()),
    ('url', pa.string()),
    ('agent', pa.string()),
    ('status', pa.int32()),
    ('seconds', pa.float64()),
    ('tags', pa.list_(pa.string())),
])


def micro_batches(count, rows):
    """Appends of rows that are dictionaries, as the JavaScript side has objects."""
    import datetime

    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    batch = [
        {
            'id': i,
            'ts': start + datetime.timedelta(milliseconds=i * 37),
            'method': 'GET' if i % 7 else 'POST',
            'url': f'/products/{i * 7919 % 5000}?page={i % 13}',
            'agent': f'Mozilla/5.0 (X11; Linux x86_64) Browser/{i % 40}.0',
            'status': 404 if i % 50 == 0 else 200,
            'seconds': i % 997 / 1000,
            'tags': ['web', f'shop-{i % 9}'],
        }
        for i in range(rows)
    ]
    table = new_table(LOG)
    yield
    for _ in range(count):
        table.append(pa.Table.from_pylist(batch, schema=LOG))
    yield int(table.current_snapshot().summary['total-records'])


def rows_of(ids, a, c):
    remainder = pc.subtract(ids, pc.multiply(pc.divide(ids, 1000), 1000))
    d = pc.binary_join_element_wise('desc', pc.cast(remainder, pa.string()), '-')
    return pa.table({'id': ids, 'a': a, 'b': pc.multiply(pc.cast(ids, pa.float64()), 0.5), 'c': c, 'd': d})


def upsert(size, count, files):
    """Upserts rows of which half are new into a table of so many files."""
    ids = pa.array(range(size), pa.int64())
    names = pc.binary_join_element_wise('name', pc.cast(ids, pa.string()), '-')
    base = rows_of(ids, pc.multiply(ids, 7), names)
    table = new_table(base.schema)
    for i in range(files):
        table.append(base.slice(i * size // files, size // files))
    keys = pa.array([k * 197 if k < count // 2 else size + k for k in range(count)], pa.int64())
    source = rows_of(keys, pa.array(range(count), pa.int64()), pa.array(['x'] * count))
    yield
    result = table.upsert(source, join_cols=['id'])
    yield result.rows_updated + result.rows_inserted


serve({'commits': commits, 'micro-batches': micro_batches, 'upsert': upsert}, cpu_seconds)
