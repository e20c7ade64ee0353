-- # one of one row is cut off and broadcast
SELECT o_key FROM orders WHERE o_price > (SELECT avg(l_price) FROM lines);
--   result: o_key BIGINT
--     fragment 1 (parallel, orders split by split, in 3 shares): SELECT o_key FROM in_0 AS "orders" WHERE o_price > (SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'avg', ['DOUBLE']))) AS "avg(l_price)" FROM in_x0)
--       in_0: scan orders: 2 of 5 columns (o_key, o_price), 1 of 1 files, 8 of 8 row groups, 3 splits
--       in_x0: exchange 0 (broadcast, next to nothing) in_a0
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT avg(l_price) EXPORT_STATE AS "in_a0" FROM in_1 AS "lines"
--           in_1: scan lines: 1 of 5 columns (l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 272 kB less for the busiest worker than for one worker alone
--   divided: orders split by split: about 8.0 kB less for the busiest worker than for one worker alone

-- # a derived table is divided by itself
SELECT p_brand, total FROM parts JOIN (SELECT l_part, sum(l_price) AS total FROM lines GROUP BY l_part) ON l_part = p_key;
--   result: p_brand VARCHAR, total DOUBLE
--     fragment 1 (once): SELECT p_brand, total FROM in_0 AS "parts" JOIN (SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS total FROM in_x0 GROUP BY in_k0) ON l_part = p_key
--       in_0: scan parts: 2 of 3 columns (p_key, p_brand), 1 of 1 files, 2 of 2 row groups, 1 splits
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_1 AS "lines" GROUP BY ALL
--           in_1: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 396 kB less for the busiest worker than for one worker alone
--     runner-up parts and lines by hash of p_key = l_part: about 108 kB less for the busiest worker
--     or lines by hash of l_part: about 95 kB less for the busiest worker
--     and 1 way more, which EXPLAIN (FORMAT JSON) tells

-- # a derived table that is complete in its share
SELECT o_state, max(total) FROM orders, (SELECT l_order, sum(l_price) AS total FROM lines GROUP BY l_order) WHERE l_order = o_key GROUP BY 1;
--   result: o_state VARCHAR, max(total) DOUBLE
--     fragment 1 (once): SELECT in_k0 AS "o_state", finalize(combine_aggr(to_aggregate_state("in_a1", 'max', ['DOUBLE']))) AS "max(total)" FROM in_x0 GROUP BY 1
--       in_x0: exchange 0 (gather, next to nothing) in_k0, in_a1
--         fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_state AS "in_k0", max(total) EXPORT_STATE AS "in_a1" FROM in_0 AS "orders", (SELECT l_order, sum(l_price) AS total FROM in_1 AS "lines" GROUP BY l_order) WHERE l_order = o_key GROUP BY ALL
--           in_0: scan orders: 2 of 5 columns (o_key, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 698 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 420 kB less for the busiest worker
--     or orders split by split: about 120 kB more for the busiest worker
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange
