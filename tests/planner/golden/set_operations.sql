SELECT id FROM people UNION ALL SELECT id FROM orders WHERE id < 3 EXCEPT SELECT 2 ORDER BY id LIMIT 2;

-- plan, workers = 1
-- result: id BIGINT
--   fragment 0 (once): SELECT id FROM in_0 AS "people" UNION ALL SELECT id FROM in_1 AS "orders" WHERE id < 3 EXCEPT SELECT 2 ORDER BY id LIMIT 2
--     in_0: scan people: 1 of 4 columns (id), 1 of 1 files, 1 splits
--     in_1: scan orders: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 3
-- plan, workers = 3
-- result: id BIGINT
--   fragment 0 (once): SELECT id FROM in_0 AS "people" UNION ALL SELECT id FROM in_1 AS "orders" WHERE id < 3 EXCEPT SELECT 2 ORDER BY id LIMIT 2
--     in_0: scan people: 1 of 4 columns (id), 1 of 1 files, 1 of 1 row groups, 1 splits
--     in_1: scan orders: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 3
-- not divided: orders has 100 rows to read, and tables of fewer than 500 are not worth it
