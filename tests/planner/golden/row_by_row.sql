-- Scan, filter and projection: with several workers the whole query runs split by split.
SELECT id * 2 AS double_id, upper(note) FROM orders WHERE amount > 100;

-- plan, workers = 1
-- result: double_id BIGINT, upper(note) VARCHAR
--   fragment 0 (once): SELECT id * 2 AS double_id, upper(note) FROM in_0 AS "orders" WHERE amount > 100
--     in_0: scan orders: 3 of 4 columns (id, amount, note), 1 of 1 files, 10 of 10 row groups, 1 splits, where amount > 100
-- plan, workers = 3
-- result: double_id BIGINT, upper(note) VARCHAR
--   fragment 0 (parallel, orders split by split, in 4 shares): SELECT id * 2 AS double_id, upper(note) FROM in_0 AS "orders" WHERE amount > 100
--     in_0: scan orders: 3 of 4 columns (id, amount, note), 1 of 1 files, 10 of 10 row groups, 4 splits, where amount > 100
-- divided: orders split by split: about 24 kB less for the busiest worker than for one worker alone
