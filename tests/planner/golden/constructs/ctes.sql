-- # divided by itself
WITH totals AS (SELECT l_part, sum(l_price) AS total FROM lines GROUP BY l_part) SELECT max(total) FROM totals;
--   result: max(total) DOUBLE
--     fragment 1 (once): WITH totals AS (SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS total FROM in_x0 GROUP BY in_k0) SELECT max(total) FROM totals
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines" GROUP BY ALL
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 396 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_part: about 853 kB more for the busiest worker

-- # read again by each share that needs it
WITH few AS (SELECT c_key FROM customers WHERE c_nation = 3) SELECT o_state, count(*) FROM orders, few WHERE o_customer = c_key GROUP BY 1;
--   result: o_state VARCHAR, count_star() BIGINT
--     fragment 2 (once): SELECT in_k0 AS "o_state", finalize(combine_aggr(to_aggregate_state("in_a1", 'count', ['BIGINT']))) AS "count_star()" FROM in_x1 GROUP BY 1
--       in_x1: exchange 1 (gather, next to nothing) in_k0, in_a1
--         fragment 1 (parallel, orders split by split, in 6 shares): WITH few AS (SELECT in_i0 AS "c_key" FROM in_x0) SELECT o_state AS "in_k0", count(*) EXPORT_STATE AS "in_a1" FROM in_1 AS "orders", few WHERE o_customer = c_key GROUP BY ALL
--           in_1: scan orders: 2 of 5 columns (o_customer, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_x0: exchange 0 (broadcast, about 23 kB) in_i0
--             fragment 0 (parallel, customers split by split, in 3 shares): SELECT c_key AS "in_i0" FROM in_0 AS "customers" WHERE c_nation = 3
--               in_0: scan customers: 2 of 3 columns (c_key, c_nation), 1 of 1 files, 3 of 3 row groups, 3 splits, where c_nation = 3
--   divided: orders split by split: about 96 kB less for the busiest worker than for one worker alone
--   divided: customers split by split: about 22 kB less for the busiest worker than for one worker alone
--     not customers and orders by ranges of c_key = o_customer: they are not written in the order of that key
--     not customers and orders by hash of c_key = o_customer: its rows may lie anywhere, and need not be brought together
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # read twice
WITH totals AS (SELECT l_part, sum(l_price) AS total FROM lines GROUP BY l_part) SELECT * FROM totals WHERE total = (SELECT max(total) FROM totals);
--   result: l_part BIGINT, total DOUBLE
--     fragment 1 (once): WITH totals AS (SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS total FROM in_x0 GROUP BY in_k0) SELECT * FROM totals WHERE total = (SELECT max(total) FROM totals)
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines" GROUP BY ALL
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 396 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_part: about 853 kB more for the busiest worker
