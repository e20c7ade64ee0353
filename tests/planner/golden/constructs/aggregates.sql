-- # with a partial form
SELECT count(*), sum(l_price), avg(l_quantity), min(l_part), stddev(l_price) FROM lines;
--   result: count_star() BIGINT, sum(l_price) DOUBLE, avg(l_quantity) DOUBLE, min(l_part) BIGINT, stddev(l_price) DOUBLE
--     fragment 1 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'count', ['BIGINT']))) AS "count_star()", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(l_price)", finalize(combine_aggr(to_aggregate_state("in_a2", 'avg', ['BIGINT']))) AS "avg(l_quantity)", finalize(combine_aggr(to_aggregate_state("in_a3", 'min', ['BIGINT']))) AS "min(l_part)", finalize(combine_aggr(to_aggregate_state("in_a4", 'stddev', ['DOUBLE']))) AS "stddev(l_price)" FROM in_x0
--       in_x0: exchange 0 (gather, next to nothing) in_a0, in_a1, in_a2, in_a3, in_a4
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT count(*) EXPORT_STATE AS "in_a0", sum(l_price) EXPORT_STATE AS "in_a1", avg(l_quantity) EXPORT_STATE AS "in_a2", min(l_part) EXPORT_STATE AS "in_a3", stddev(l_price) EXPORT_STATE AS "in_a4" FROM in_0 AS "lines"
--           in_0: scan lines: 3 of 5 columns (l_part, l_quantity, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 816 kB less for the busiest worker than for one worker alone

-- # DISTINCT by its argument
SELECT o_state, count(DISTINCT o_customer) FROM orders GROUP BY o_state;
--   result: o_state VARCHAR, count(DISTINCT o_customer) BIGINT
--     fragment 1 (once): SELECT in_k0 AS "o_state", count(DISTINCT in_d1) AS "count(DISTINCT o_customer)" FROM in_x0 GROUP BY in_k0
--       in_x0: exchange 0 (gather, about 58 kB) in_k0, in_d1
--         fragment 0 (parallel, orders split by split, in 6 shares): SELECT o_state AS "in_k0", o_customer AS "in_d1" FROM in_0 AS "orders" GROUP BY ALL
--           in_0: scan orders: 2 of 5 columns (o_customer, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: orders split by split: about 38 kB less for the busiest worker than for one worker alone
--     runner-up orders by hash of o_state: about 26 kB less for the busiest worker

-- # of all values: the rows are gathered if that is worth it
SELECT l_quantity, median(l_price) FROM lines WHERE l_part < 10 GROUP BY l_quantity;
--   result: l_quantity BIGINT, median(l_price) DOUBLE
--     fragment 1 (parallel, lines by hash of l_quantity, in shares of buckets, made as it runs): SELECT l_quantity, median(l_price) FROM in_0 AS "lines" GROUP BY l_quantity
--       in_0: exchange 0 (hash of l_quantity, 192 buckets, about 307 kB) l_quantity, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_quantity", "l_price", ((hash("l_quantity") >> 32) % 192)::USMALLINT AS in_b FROM in_0 WHERE (l_part < 10)
--           in_0: scan lines: 3 of 5 columns (l_part, l_quantity, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits, where l_part < 10
--   divided: lines by hash of l_quantity: about 461 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 355 kB less for the busiest worker

-- # in an order
SELECT l_part, list(l_price ORDER BY l_order) FROM lines GROUP BY l_part;
--   result: l_part BIGINT, list(l_price ORDER BY l_order) DOUBLE[]
--     fragment 1 (parallel, lines by hash of l_part, in shares of buckets, made as it runs): SELECT l_part, list(l_price ORDER BY l_order) FROM in_0 AS "lines" GROUP BY l_part
--       in_0: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_order, l_part, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_order", "l_part", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines by hash of l_part: about 154 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 720 kB more for the busiest worker
