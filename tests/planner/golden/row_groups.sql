-- Statistics keep two of ten row groups.
SELECT sum(amount) FROM orders WHERE id BETWEEN 150 AND 250 AND note >= 'note 0150';

-- plan, workers = 1
-- result: sum(amount) DOUBLE
--   fragment 0 (once): SELECT sum(amount) FROM in_0 AS "orders" WHERE id BETWEEN 150 AND 250 AND note >= 'note 0150'
--     in_0: scan orders: 3 of 4 columns (id, amount, note), 1 of 1 files, 2 of 10 row groups, 1 splits, where (id BETWEEN 150 AND 250) AND (note >= 'note 0150')
-- plan, workers = 3
-- result: sum(amount) DOUBLE
--   fragment 0 (once): SELECT sum(amount) FROM in_0 AS "orders" WHERE id BETWEEN 150 AND 250 AND note >= 'note 0150'
--     in_0: scan orders: 3 of 4 columns (id, amount, note), 1 of 1 files, 2 of 10 row groups, 1 splits, where (id BETWEEN 150 AND 250) AND (note >= 'note 0150')
-- not divided: orders has 200 rows to read, and tables of fewer than 500 are not worth it
