DESCRIBE SELECT id, amount * 2 AS twice FROM orders;

-- plan, workers = 1
-- result: column_name VARCHAR, column_type VARCHAR, null VARCHAR
--   fragment 0 (once): SELECT * FROM (VALUES ('id', 'BIGINT', 'YES'), ('twice', 'DOUBLE', 'YES')) AS listed("column_name", "column_type", "null")
-- plan, workers = 3
-- result: column_name VARCHAR, column_type VARCHAR, null VARCHAR
--   fragment 0 (once): SELECT * FROM (VALUES ('id', 'BIGINT', 'YES'), ('twice', 'DOUBLE', 'YES')) AS listed("column_name", "column_type", "null")
