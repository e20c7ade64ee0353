-- # complete in a share
SELECT l_order, sum(l_price) FROM orders, lines WHERE l_order = o_key GROUP BY l_order;
--   result: l_order BIGINT, sum(l_price) DOUBLE
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT l_order, sum(l_price) FROM in_0 AS "orders", in_1 AS "lines" WHERE l_order = o_key GROUP BY l_order
--       in_0: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 628 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 388 kB less for the busiest worker
--     or orders split by split: about 268 kB more for the busiest worker
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # in two steps
SELECT l_part, sum(l_price) FROM lines GROUP BY l_part;
--   result: l_part BIGINT, sum(l_price) DOUBLE
--     fragment 1 (once): SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x0 GROUP BY in_k0
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines" GROUP BY ALL
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 396 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_part: about 102 kB less for the busiest worker

-- # DISTINCT
SELECT DISTINCT l_part, l_quantity FROM lines;
--   result: l_part BIGINT, l_quantity BIGINT
--     fragment 1 (once): SELECT DISTINCT in_i0 AS "l_part", in_i1 AS "l_quantity" FROM in_x0
--       in_x0: exchange 0 (gather, about 222 kB) in_i0, in_i1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT DISTINCT l_part AS "in_i0", l_quantity AS "in_i1" FROM in_0 AS "lines"
--           in_0: scan lines: 2 of 5 columns (l_part, l_quantity), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 322 kB less for the busiest worker than for one worker alone

-- # ROLLUP by all columns, then by the sets
SELECT o_state, o_day, sum(o_price) FROM orders GROUP BY ROLLUP (o_state, o_day);
--   result: o_state VARCHAR, o_day BIGINT, sum(o_price) DOUBLE
--     fragment 1 (once): SELECT in_k0 AS "o_state", in_k1 AS "o_day", finalize(combine_aggr(to_aggregate_state("in_a2", 'sum', ['DOUBLE']))) AS "sum(o_price)" FROM in_x0 GROUP BY ROLLUP (in_k0, in_k1)
--       in_x0: exchange 0 (gather, about 22 kB) in_k0, in_k1, in_a2
--         fragment 0 (parallel, orders split by split, in 6 shares): SELECT o_state AS "in_k0", o_day AS "in_k1", sum(o_price) EXPORT_STATE AS "in_a2" FROM in_0 AS "orders" GROUP BY ALL
--           in_0: scan orders: 3 of 5 columns (o_day, o_price, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: orders split by split: about 122 kB less for the busiest worker than for one worker alone
