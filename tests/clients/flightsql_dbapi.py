"""What a program does by flightsql-dbapi and SQLAlchemy 1.4; test_sqlalchemy.py reads what it prints."""

from __future__ import annotations

import sys

import sqlalchemy

engine = sqlalchemy.create_engine(sys.argv[1])
inspector = sqlalchemy.inspect(engine)
with engine.connect() as connection:
    sql = sqlalchemy.text("SELECT count(*), max(s) FROM big WHERE i < :below AND s <> :text")
    print(connection.execute(sql, {"below": 10, "text": "row 9"}).fetchall())
    print(inspector.get_schema_names(), inspector.get_table_names("main"))
    print([(column["name"], str(column["type"])) for column in inspector.get_columns("big", "main")])
    print(len(connection.execute(sqlalchemy.text("SELECT i FROM big")).fetchall()))
    big = sqlalchemy.Table("big", sqlalchemy.MetaData(), autoload_with=engine)
    query = sqlalchemy.select(sqlalchemy.func.count(), sqlalchemy.func.max(big.c.s)).where(big.c.i.between(3, 8))
    print(connection.execute(query).fetchall())
