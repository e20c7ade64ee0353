-- No column is needed; through an exchange the cheapest one carries the number of rows.
SELECT count(*) FROM orders;

-- plan, workers = 1
-- result: count_star() BIGINT
--   fragment 0 (once): SELECT count(*) FROM in_0 AS "orders"
--     in_0: scan orders: 0 of 4 columns, 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: count_star() BIGINT
--   fragment 0 (once): SELECT count(*) FROM in_0 AS "orders"
--     in_0: scan orders: 0 of 4 columns, 1 of 1 files, 10 of 10 row groups, 1 splits
-- not divided: no division spares the busiest worker anything
--   runner-up orders split by split: as much for the busiest worker
