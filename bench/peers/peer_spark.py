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


LINEITEM = [
    '(id div 4) * 8 + (id div 4) % 8 + 1 l_orderkey', 'abs(hash(id)) % 200000L + 1 l_partkey',
    'abs(hash(id + 1)) % 10000L + 1 l_suppkey', 'cast(id % 4 + 1 as int) l_linenumber',
    'cast(abs(hash(id + 2)) % 50 + 1 as decimal(15,2)) l_quantity',
    'cast(abs(hash(id + 3)) % 10000000 / 100.0 as decimal(15,2)) l_extendedprice',
    'cast(abs(hash(id + 4)) % 11 / 100.0 as decimal(15,2)) l_discount',
    'cast(abs(hash(id + 5)) % 9 / 100.0 as decimal(15,2)) l_tax',
    "element_at(array('N', 'R', 'A'), abs(hash(id + 6)) % 3 + 1) l_returnflag",
    "element_at(array('O', 'F'), abs(hash(id + 7)) % 2 + 1) l_linestatus",
    "date_add(DATE '1992-01-02', abs(hash(id + 8)) % 2526) l_shipdate",
    "date_add(DATE '1992-01-02', abs(hash(id + 9)) % 2526) l_commitdate",
    "date_add(DATE '1992-01-02', abs(hash(id + 10)) % 2526) l_receiptdate",
    "element_at(array('DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'), abs(hash(id)) % 4 + 1) l_shipinstruct",
    "element_at(array('REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'), abs(hash(id)) % 7 + 1) l_shipmode",
    "substr(concat('carefully final deposits sleep furiously among the ironic requests ', hash(id), ' haggle'),"
    ' abs(hash(id + 11)) % 40 + 1, abs(hash(id + 12)) % 34 + 10) l_comment',
]


def rewrite(arguments):
    def job(rows, files):
        spark.sql('DROP TABLE IF EXISTS lake.bench.r PURGE')
        frame = spark.range(0, rows, 1, files).selectExpr(*LINEITEM)
        frame.writeTo('lake.bench.r').tableProperty('write.target-file-size-bytes', '134217728').create()
        yield
        yield spark.sql(
            f"CALL lake.system.rewrite_data_files(table => 'bench.r', {arguments} options => map('rewrite-all', 'true'))"
        ).first()['rewritten_data_files_count']

    return job


JOBS = {
    'upsert-copy-on-write': upsert('copy-on-write'),
    'upsert-merge-on-read': upsert('merge-on-read'),
    'rewrite-binpack': rewrite(''),
    'rewrite-sort': rewrite("strategy => 'sort', sort_order => 'l_shipdate, l_orderkey',"),
}
serve(JOBS, cpu_seconds)
