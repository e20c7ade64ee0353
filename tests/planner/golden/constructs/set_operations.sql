-- # each side by itself
SELECT l_part, sum(l_price) FROM lines GROUP BY 1 UNION ALL SELECT o_customer, sum(o_price) FROM orders GROUP BY 1;
--   result: l_part BIGINT, sum(l_price) DOUBLE
--     fragment 1 (once): (SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x0 GROUP BY 1) UNION ALL SELECT o_customer, sum(o_price) FROM in_1 AS "orders" GROUP BY 1
--       in_1: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 1 splits
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines" GROUP BY ALL
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 396 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 439 B more for the busiest worker

-- # EXCEPT
SELECT c_key FROM customers EXCEPT SELECT o_customer FROM orders;
--   result: c_key BIGINT
--     fragment 0 (once): SELECT c_key FROM in_0 AS "customers" EXCEPT SELECT o_customer FROM in_1 AS "orders"
--       in_0: scan customers: 1 of 3 columns (c_key), 1 of 1 files, 3 of 3 row groups, 1 splits
--       in_1: scan orders: 1 of 5 columns (o_customer), 1 of 1 files, 8 of 8 row groups, 1 splits
--   not divided: no division spares the busiest worker anything
--     runner-up customers split by split: about 16 kB more for the busiest worker
--     or orders split by split: about 80 kB more for the busiest worker

-- # INTERSECT
SELECT l_part FROM lines INTERSECT SELECT o_customer FROM orders;
--   result: l_part BIGINT
--     fragment 0 (once): SELECT l_part FROM in_0 AS "lines" INTERSECT SELECT o_customer FROM in_1 AS "orders"
--       in_0: scan lines: 1 of 5 columns (l_part), 1 of 1 files, 16 of 16 row groups, 1 splits
--       in_1: scan orders: 1 of 5 columns (o_customer), 1 of 1 files, 8 of 8 row groups, 1 splits
--   not divided: no division spares the busiest worker anything
--     runner-up orders split by split: about 80 kB more for the busiest worker
--     or lines split by split: about 240 kB more for the busiest worker
