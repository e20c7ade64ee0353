"""A program that waits for a query and is interrupted: it says so, and stays until its input ends. test_adbc.py interrupts it."""

from __future__ import annotations

import sys

import adbc_driver_flightsql.dbapi as adbc
import pandas

client, uri, sql = sys.argv[1:]
try:
    if client == "sqlalchemy":
        import sqlalchemy

        with sqlalchemy.create_engine(uri.replace("grpc:", "adbc+flightsql:") + "?tls=false").connect() as engine:
            engine.execute(sqlalchemy.text(sql)).all()
    else:
        with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
            if client == "pandas":
                pandas.read_sql(sql, connection)
            else:
                cursor.execute(sql).fetchall()
except Exception as error:
    print("cancelled" if "CANCELLED" in str(error) else error, flush=True)
sys.stdin.read()
