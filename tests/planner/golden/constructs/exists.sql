-- # the inner table is whole
SELECT count(*) FROM orders WHERE EXISTS (SELECT * FROM customers WHERE c_key = o_customer AND c_nation = 3);
--   result: count_star() BIGINT
--     fragment 1 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'count', ['BIGINT']))) AS "count_star()" FROM in_x0
--       in_x0: exchange 0 (gather, next to nothing) in_a0
--         fragment 0 (parallel, orders split by split, in 3 shares): SELECT count(*) EXPORT_STATE AS "in_a0" FROM in_0 AS "orders" WHERE EXISTS (SELECT * FROM in_1 AS "customers" WHERE c_key = o_customer AND c_nation = 3)
--           in_0: scan orders: 1 of 5 columns (o_customer), 1 of 1 files, 8 of 8 row groups, 3 splits
--           in_1: scan customers: 2 of 3 columns (c_key, c_nation), 1 of 1 files, 3 of 3 row groups, 1 splits, where c_nation = 3, whole
--   divided: orders split by split: about 49 kB less for the busiest worker than for one worker alone
--     runner-up orders and customers by hash of o_customer = c_key: about 39 kB less for the busiest worker
--     not customers split by split: it is read in a subquery that mentions rows around it
--     not orders and customers by ranges of o_customer = c_key: they are not written in the order of that key
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # in ranges of a key that WHERE sets equal to one outside
SELECT o_state, count(*) FROM orders WHERE NOT EXISTS (SELECT * FROM lines WHERE l_order = o_key AND l_quantity > 40) GROUP BY 1;
--   result: o_state VARCHAR, count_star() BIGINT
--     fragment 1 (once): SELECT in_k0 AS "o_state", finalize(combine_aggr(to_aggregate_state("in_a1", 'count', ['BIGINT']))) AS "count_star()" FROM in_x0 GROUP BY 1
--       in_x0: exchange 0 (gather, next to nothing) in_k0, in_a1
--         fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_state AS "in_k0", count(*) EXPORT_STATE AS "in_a1" FROM in_0 AS "orders" WHERE NOT EXISTS (SELECT * FROM in_1 AS "lines" WHERE l_order = o_key AND l_quantity > 40) GROUP BY ALL
--           in_0: scan orders: 2 of 5 columns (o_key, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_1: scan lines: 2 of 5 columns (l_order, l_quantity), 1 of 1 files, 16 of 16 row groups, 6 splits, where l_quantity > 40
--   divided: orders and lines by ranges of o_key = l_order: about 698 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 120 kB more for the busiest worker
--     not lines split by split: it is read in a subquery that mentions rows around it
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # a correlated scalar subquery in ranges
SELECT o_key FROM orders WHERE o_price > (SELECT sum(l_price) FROM lines WHERE l_order = o_key);
--   result: o_key BIGINT
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_key FROM in_0 AS "orders" WHERE o_price > (SELECT sum(l_price) FROM in_1 AS "lines" WHERE l_order = o_key)
--       in_0: scan orders: 2 of 5 columns (o_key, o_price), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 698 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 120 kB more for the busiest worker
--     not lines split by split: it is read in a subquery that mentions rows around it
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # a correlated scalar subquery by another key
SELECT sum(l_price) FROM lines WHERE l_quantity < (SELECT avg(l_quantity) FROM lines inner_lines WHERE inner_lines.l_part = lines.l_part);
--   result: sum(l_price) DOUBLE
--     fragment 2 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x1
--       in_x1: exchange 1 (gather, next to nothing) in_a0
--         fragment 1 (parallel, lines (lines) and lines (inner_lines) by hash of l_part, in shares of buckets, made as it runs): SELECT sum(l_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "lines" WHERE l_quantity < (SELECT avg(l_quantity) FROM in_1 inner_lines WHERE inner_lines.l_part = lines.l_part)
--           in_0: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_part, l_quantity, l_price
--             fragment 0 (parallel, lines (lines) split by split, in 6 shares): SELECT "l_part", "l_quantity", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--               in_0: scan lines: 3 of 5 columns (l_part, l_quantity, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--           in_1: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_part, l_quantity, l_price, as above
--   divided: lines (lines) and lines (inner_lines) by hash of l_part: about 768 kB less for the busiest worker than for one worker alone
--     runner-up lines (lines) split by split: about 560 kB less for the busiest worker
--     or lines (lines) and lines (inner_lines) by ranges of l_part: about 640 kB more for the busiest worker
--     not lines (inner_lines) split by split: it is read in a subquery that mentions rows around it
--     not lines (lines) by hash of l_part: its rows may lie anywhere, and need not be brought together
