"""What a program does by flightsql-dbapi and SQLAlchemy 1.4; test_sqlalchemy.py reads what it prints: ``NAME: ANSWER`` lines.

The second argument is a query of many types, or ``wait`` for the third, a statement; otherwise that is a number of rows.
"""

from __future__ import annotations

import datetime
import sys

import sqlalchemy

url, all_types, many_rows = sys.argv[1:]
engine = sqlalchemy.create_engine(url)
inspector = sqlalchemy.inspect(engine)
with engine.connect() as connection:
    if all_types == "wait":
        connection.exec_driver_sql(many_rows)
        sys.exit()
    sql = sqlalchemy.text("SELECT count(*), max(s) FROM big WHERE i < :below AND s <> :text")
    print("statement:", connection.execute(sql, {"below": 10, "text": "row 9"}).fetchall())
    sent = {"BIGINT": 2**62, "DOUBLE": 0.1, "BOOLEAN": True, "VARCHAR": "it's grüß", "BLOB": b"\x00'\xff"}
    for name, value in sent.items():
        row = connection.execute(sqlalchemy.text("SELECT :v, typeof(:v)"), {"v": value}).one()
        print(f"parameter {name}:", row == (value, name))
    try:
        connection.execute(sqlalchemy.text("SELECT :v"), {"v": datetime.date(2024, 2, 29)})
    except sqlalchemy.exc.DBAPIError as error:
        print("parameter DATE:", error.orig)
    print("tables:", inspector.get_schema_names(), inspector.get_table_names("main"))
    print("columns:", [(column["name"], str(column["type"])) for column in inspector.get_columns("big", "main")])
    big = sqlalchemy.Table("big", sqlalchemy.MetaData(), autoload_with=engine)
    query = sqlalchemy.select(sqlalchemy.func.count(), sqlalchemy.func.max(big.c.s)).where(big.c.i.between(3, 8))
    print("built:", connection.execute(query).fetchall())
    for name, value in connection.exec_driver_sql(all_types).mappings().one().items():
        print(f"type {name}:", repr(value))
    print("mixed numbers:", connection.exec_driver_sql("SELECT 9223372036854775807 AS i, 0.5::DOUBLE AS d").one())
    print("large row:", len(connection.execute(sqlalchemy.text("SELECT repeat('x', 5000000)")).scalar_one()))
    numbers = [i for (i,) in connection.exec_driver_sql(f"SELECT range AS i FROM range({many_rows})").fetchall()]
    print("many rows:", len(numbers), sum(numbers))
