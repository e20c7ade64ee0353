-- # one side is whole in each share
SELECT p_brand, sum(l_price) FROM lines, parts WHERE l_part = p_key GROUP BY p_brand;
--   result: p_brand VARCHAR, sum(l_price) DOUBLE
--     fragment 1 (once): SELECT in_k0 AS "p_brand", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x0 GROUP BY in_k0
--       in_x0: exchange 0 (gather, about 3.4 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT p_brand AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines", in_1 AS "parts" WHERE l_part = p_key GROUP BY ALL
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--           in_1: scan parts: 2 of 3 columns (p_key, p_brand), 1 of 1 files, 2 of 2 row groups, 1 splits, whole
--   divided: lines split by split: about 464 kB less for the busiest worker than for one worker alone
--     runner-up lines and parts by hash of l_part = p_key: about 106 kB less for the busiest worker
--     or lines and parts by ranges of l_part = p_key: about 270 kB more for the busiest worker
--     not lines by hash of l_part: its rows may lie anywhere, and need not be brought together

-- # both are written in the order of the key
SELECT o_state, sum(l_price) FROM orders JOIN lines ON l_order = o_key GROUP BY o_state;
--   result: o_state VARCHAR, sum(l_price) DOUBLE
--     fragment 1 (once): SELECT in_k0 AS "o_state", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x0 GROUP BY in_k0
--       in_x0: exchange 0 (gather, next to nothing) in_k0, in_a1
--         fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_state AS "in_k0", sum(l_price) EXPORT_STATE AS "in_a1" FROM in_0 AS "orders" JOIN in_1 AS "lines" ON l_order = o_key GROUP BY ALL
--           in_0: scan orders: 2 of 5 columns (o_key, o_state), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 698 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 480 kB less for the busiest worker
--     or orders split by split: about 120 kB more for the busiest worker
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange
--     and 1 way more, which EXPLAIN (FORMAT JSON) tells

-- # a third is whole beside two in ranges
SELECT c_name, l_price FROM customers, orders, lines WHERE c_key = o_customer AND o_key = l_order;
--   result: c_name VARCHAR, l_price DOUBLE
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT c_name, l_price FROM in_0 AS "customers", in_1 AS "orders", in_2 AS "lines" WHERE c_key = o_customer AND o_key = l_order
--       in_0: scan customers: 2 of 3 columns (c_key, c_name), 1 of 1 files, 3 of 3 row groups, 1 splits, whole
--       in_1: scan orders: 2 of 5 columns (o_key, o_customer), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_2: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 583 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 461 kB less for the busiest worker
--     or orders split by split: about 139 kB more for the busiest worker
--     not customers and orders by ranges of c_key = o_customer: they are not written in the order of that key
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together
--     and 2 ways more, which EXPLAIN (FORMAT JSON) tells

-- # no equality that holds in every row
SELECT o_state, l_price FROM orders JOIN lines ON l_order = o_key OR o_price > 100;
--   result: o_state VARCHAR, l_price DOUBLE
--     fragment 0 (parallel, lines split by split, in 3 shares): SELECT o_state, l_price FROM in_0 AS "orders" JOIN in_1 AS "lines" ON l_order = o_key OR o_price > 100
--       in_0: scan orders: 3 of 5 columns (o_key, o_price, o_state), 1 of 1 files, 8 of 8 row groups, 1 splits, whole
--       in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 3 splits
--   divided: lines split by split: about 448 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 52 kB more for the busiest worker
--     not orders and lines by ranges of o_key = l_order: two divided tables are joined, but not by what divides them
--     not orders and lines by hash of o_key = l_order: two divided tables are joined, but not by what divides them
--     not lines by hash of l_order: its rows may lie anywhere, and need not be brought together
