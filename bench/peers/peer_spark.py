"""What Spark with Iceberg's runtime takes for the jobs of these benchmarks: the jar, then a folder, are given."""
import os
import sys

from pyspark.sql import SparkSession

from protocol import serve

jar, folder = sys.argv[1:3]
os.environ.setdefault('SPARK_LOCAL_IP', '127.0.0.1')
CONFIG = {
    'spark.jars': jar,
    'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    'spark.sql.catalog.lake': 'org.apache.iceberg.spark.SparkCatalog',
    'spark.sql.catalog.lake.type': 'hadoop',
    'spark.sql.catalog.lake.warehouse': folder,
    'spark.driver.memory': '4g',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.host': '127.0.0.1',
    'spark.sql.shuffle.partitions': '4',
    'spark.ui.enabled': 'false',
    'spark.local.dir': folder,
}
builder = SparkSession.builder.master('local[*]')
for key, value in CONFIG.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel('ERROR')
spark.sql('CREATE NAMESPACE lake.bench')
process = spark.sparkContext._jvm.java.lang.ProcessHandle.current()


def cpu_seconds():
    return process.info().totalCpuDuration().get().toNanos() / 1e9


def upsert(mode):
    def job(size, count, files):
        spark.sql('DROP TABLE IF EXISTS lake.bench.t PURGE')
        spark.sql(
            'CREATE TABLE lake.bench.t (id bigint, a bigint, b double, c string, d string) USING iceberg '
            f"TBLPROPERTIES ('format-version' = '2', 'write.merge.mode' = '{mode}')"
        )
        columns = ['id', 'id * 7 a', 'id * 0.5D b', "concat('name-', id) c", "concat('desc-', id % 1000) d"]
        spark.range(size).selectExpr(*columns).coalesce(files).writeTo('lake.bench.t').append()
        key = f'CASE WHEN id < {count // 2} THEN id * 197 ELSE {size} + id END'
        columns = [f'{key} id', 'id a', f'({key}) * 0.5D b', "'x' c", f"concat('desc-', ({key}) % 1000) d"]
        spark.range(count).selectExpr(*columns).createOrReplaceTempView('source')
        yield
        spark.sql(
            'MERGE INTO lake.bench.t t USING source s ON t.id = s.id '
            'WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *'
        )
        yield spark.sql("SELECT count(*) FROM lake.bench.t WHERE c = 'x'").first()[0]

    return job


serve({'upsert-copy-on-write': upsert('copy-on-write'), 'upsert-merge-on-read': upsert('merge-on-read')}, cpu_seconds)
