SELECT id FROM orders WHERE random() < 2 AND id < 5;

-- plan, workers = 1
-- result: id BIGINT
--   fragment 0 (once): SELECT id FROM in_0 AS "orders" WHERE random() < 2 AND id < 5
--     in_0: scan orders: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 5
-- plan, workers = 3
-- result: id BIGINT
--   fragment 0 (once): SELECT id FROM in_0 AS "orders" WHERE random() < 2 AND id < 5
--     in_0: scan orders: 1 of 4 columns (id), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 5
-- not divided: orders has 100 rows to read, and tables of fewer than 500 are not worth it
