"""Spark with a REST catalog named `rest`: takes its URI as the argument, then a statement of SQL a line, as JSON text.

Answers with a line for each: {"rows": [row as an object, …]} or {"error": "…"}.
"""

import json
import os
import sys

from pyspark.sql import SparkSession

# What the engine prints must not get between.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
session = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", os.environ["INTEROP_SPARK_JAR"])
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.rest", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.rest.type", "rest")
    .config("spark.sql.catalog.rest.uri", sys.argv[1])
    .config("spark.sql.catalog.rest.io-impl", "org.apache.iceberg.hadoop.HadoopFileIO")
    .config("spark.sql.catalog.rest.cache-enabled", "false")
    .getOrCreate()
)
session.sparkContext.setLogLevel("OFF")
for line in sys.stdin:
    try:
        answer = {"rows": [json.loads(row) for row in session.sql(json.loads(line)).toJSON().collect()]}
    except Exception as error:
        answer = {"error": str(error)}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
