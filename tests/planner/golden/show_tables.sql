SHOW TABLES;

-- plan, workers = 1
-- result: name VARCHAR
--   fragment 0 (once): SELECT * FROM (VALUES ('empty'), ('events'), ('orders'), ('people')) AS listed("name")
-- plan, workers = 3
-- result: name VARCHAR
--   fragment 0 (once): SELECT * FROM (VALUES ('empty'), ('events'), ('orders'), ('people')) AS listed("name")
