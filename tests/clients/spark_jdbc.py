"""What a program does by PySpark and JDBC; test_spark.py reads what it prints: a line ``== {NAME: ANSWER}`` for each question.

The page's own program comes first, and makes the session.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from functools import partial

import py4j.protocol
import pyspark.errors
import pyspark.sql
from pyspark.sql import functions

page, uri, asked = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
exec(page)

URL = uri.replace("grpc:", "jdbc:arrow-flight-sql:") + "?useEncryption=false"
DRIVER = {"driver": "org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver"}
CATALOG = "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"
spark = pyspark.sql.SparkSession.builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def read(**options: object) -> pyspark.sql.DataFrame:
    return spark.read.format("jdbc").options(url=URL, **DRIVER, **options).load()


def tell(name: str, answer: Callable[[], object]) -> None:
    """Prints an answer, or what went wrong."""
    try:
        told = answer()
    except (py4j.protocol.Py4JJavaError, pyspark.errors.PySparkException) as error:
        told = "failed: " + str(error)
    print("==", json.dumps({name: told}, default=str), flush=True)


def summary(sql: str) -> list[object]:
    return list(read(query=sql).agg(functions.count("*"), functions.sum("i"), functions.sum(functions.octet_length("s"))).first())


def schema(sql: str) -> object:
    return read(query=sql).schema.simpleString()


def values(sql: str) -> dict[str, list[object]]:
    frame = read(query=sql)
    return {name: [frame.schema[name].dataType.simpleString(), value] for name, value in frame.first().asDict().items()}


def cancelled() -> object:
    threading.Timer(1, spark.sparkContext.cancelAllJobs).start()
    return read(query=asked["cancelled"]).collect()


big = spark.read.jdbc(URL, "big", column="i", lowerBound=0, upperBound=400_000, numPartitions=4, properties=DRIVER)
tell("partitions", lambda: [big.rdd.getNumPartitions(), *big.agg(functions.count("*"), functions.sum("i"), functions.max("s")).first()])
tell("filtered", lambda: [row.s for row in big.where("i BETWEEN 7 AND 8 OR s = 'it''s'").select("s").collect()])
tell("predicates", lambda: spark.read.jdbc(URL, "big", predicates=["i < 10", "i >= 399990"], properties=DRIVER).count())
tell("custom schema", lambda: list(read(dbtable="big", customSchema="i BIGINT").where("i = 3").first()))
tell("names", lambda: list(read(query='SELECT 1 AS "Ab c", 2 AS "x""y"').where("`Ab c` = 1").first().asDict()))
tell("types", lambda: values(asked["types"]))
for name, sql in asked["refused types"].items():
    tell(name, partial(schema, sql))
for number, sql in enumerate(asked["large"]):
    tell(f"large:{number}", partial(summary, sql))
tell("timed out", lambda: read(query=asked["timed out"], queryTimeout=1).collect())
tell("taken", lambda: len(read(query=asked["taken"]).take(3)))
for option, setting in {"": CATALOG, ".url": URL, ".driver": DRIVER["driver"]}.items():
    spark.conf.set(f"spark.sql.catalog.lake{option}", setting)
tell("catalog", lambda: [list(row) for row in spark.sql("SELECT i, s FROM lake.main.big WHERE i < 10 ORDER BY i DESC LIMIT 2").collect()])
tell("columns", lambda: [[row.col_name, row.data_type] for row in spark.sql("DESCRIBE lake.main.big").collect()])
tell("tables", lambda: [row.tableName for row in spark.sql("SHOW TABLES IN lake.main").collect()])
tell("unknown table", lambda: read(dbtable="nowhere").collect())
tell("cancelled", cancelled)
spark.stop()
