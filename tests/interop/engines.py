"""The pinned engines: PyIceberg, DuckDB with its iceberg extension from PyPI (nothing is downloaded), and Spark."""

import datetime
import importlib.util
import os
import pathlib
import warnings

warnings.filterwarnings("ignore")


def duckdb_with_iceberg():
    import duckdb

    connection = duckdb.connect()
    for extension in ("avro", "iceberg"):
        package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{extension}").origin).parent
        connection.execute(f"LOAD '{next(package.glob('extensions/*/*.duckdb_extension'))}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


class PyIceberg:
    name = "PyIceberg"
    filtered_values = 12

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
    filtered_values = 12

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


class Spark:
    """Spark with the runtime of Iceberg Java: what most of the world reads and writes these tables with."""

    name = "Spark"
    # Every query takes a tenth of a second or two.
    filtered_values = 1

    def __init__(self):
        os.environ["TZ"] = "UTC"
        from pyspark.sql import SparkSession

        settings = {
            "spark.jars": os.environ["INTEROP_SPARK_JAR"],
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.memory": "2g",
            "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -Dlog4j2.level=ERROR",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        }
        builder = SparkSession.builder.master("local[2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")

    def read(self, metadata, snapshot_id=None):
        from pyspark.sql import functions
        from pyspark.sql.types import VariantType

        frame = self.load(metadata, snapshot_id)
        for field in frame.schema.fields:
            # Spark doesn't hand variants over as Arrow.
            if isinstance(field.dataType, VariantType):
                frame = frame.withColumn(field.name, functions.to_json(frame[quoted_for_spark(field.name)]))
        return frame.toArrow()

    def count_equal(self, metadata, column, value):
        from pyspark.sql import functions

        # Python's dates reach Spark through Java's old calendar, in which the year 1 is another one.
        literal = functions.expr(time_literal(value)) if isinstance(value, datetime.date) else functions.lit(value)
        return self.load(metadata).where(functions.col(quoted_for_spark(column)) == literal).count()

    def load(self, metadata, snapshot_id=None):
        reader = self.session.read.format("iceberg")
        if snapshot_id is not None:
            reader = reader.option("versionAsOf", snapshot_id)
        return reader.load(f"file:{pathlib.Path(metadata).parent.parent}")


def time_literal(value):
    if not isinstance(value, datetime.datetime):
        return f"DATE '{value.isoformat()}'"
    return f"{'TIMESTAMP_NTZ' if value.tzinfo is None else 'TIMESTAMP'} '{value.isoformat(' ')}'"


def quoted_for_spark(name):
    return "`" + name.replace("`", "``") + "`"


ENGINES = [engine for engine in (PyIceberg, DuckDB, Spark) if engine.name in os.environ["INTEROP_ENGINES"].split(",")]
