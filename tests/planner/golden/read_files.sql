SELECT f.id FROM read_files('ord*.parquet') f WHERE f.id = 7;

-- plan, workers = 1
-- result: id BIGINT
--   fragment 0 (once): SELECT f.id FROM in_0 f WHERE f.id = 7
--     in_0: scan ord*.parquet: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id = 7
-- plan, workers = 3
-- result: id BIGINT
--   fragment 0 (once): SELECT f.id FROM in_0 f WHERE f.id = 7
--     in_0: scan ord*.parquet: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id = 7
-- not divided: ord*.parquet has 100 rows to read, and tables of fewer than 500 are not worth it
