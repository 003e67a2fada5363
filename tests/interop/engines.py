"""The pinned engines: PyIceberg, and DuckDB with its iceberg extension from PyPI (nothing is downloaded)."""

import importlib.util
import pathlib
import warnings

import duckdb

warnings.filterwarnings("ignore")


def duckdb_with_iceberg():
    connection = duckdb.connect()
    for extension in ("avro", "iceberg"):
        package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{extension}").origin).parent
        connection.execute(f"LOAD '{next(package.glob('extensions/*/*.duckdb_extension'))}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


class PyIceberg:
    name = "PyIceberg"

    def __init__(self):
        from pyiceberg.table import StaticTable

        self.load = StaticTable.from_metadata

    def read(self, metadata, snapshot_id=None):
        return self.load(metadata).scan(snapshot_id=snapshot_id).to_arrow()

    def count_equal(self, metadata, column, value):
        from pyiceberg.expressions import EqualTo

        return self.load(metadata).scan(row_filter=EqualTo(column, value)).to_arrow().num_rows


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class DuckDB:
    name = "DuckDB"

    def __init__(self):
        self.connection = duckdb_with_iceberg()

    def read(self, metadata, snapshot_id=None):
        scan = f"iceberg_scan(?{'' if snapshot_id is None else f', snapshot_from_id => {snapshot_id}'})"
        columns = self.connection.execute(f"DESCRIBE SELECT * FROM {scan}", [metadata]).fetchall()
        # DuckDB doesn't hand variants over as Arrow.
        json = [f"{quoted(name)}::JSON AS {quoted(name)}" for name, kind, *_ in columns if kind == "VARIANT"]
        select = f"* REPLACE ({', '.join(json)})" if json else "*"
        return self.connection.execute(f"SELECT {select} FROM {scan}", [metadata]).to_arrow_table()

    def count_equal(self, metadata, column, value):
        query = f"SELECT count(*) FROM iceberg_scan(?) WHERE {quoted(column)} = ?"
        return self.connection.execute(query, [metadata, value]).fetchone()[0]


ENGINES = (PyIceberg, DuckDB)
