-- # what is looked in is whole
SELECT sum(o_price) FROM orders WHERE o_customer IN (SELECT c_key FROM customers WHERE c_nation = 3);
--   result: sum(o_price) DOUBLE
--     fragment 1 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(o_price)" FROM in_x0
--       in_x0: exchange 0 (gather, next to nothing) in_a0
--         fragment 0 (parallel, orders split by split, in 3 shares): SELECT sum(o_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "orders" WHERE o_customer IN (SELECT c_key FROM in_1 AS "customers" WHERE c_nation = 3)
--           in_0: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 3 splits
--           in_1: scan customers: 2 of 3 columns (c_key, c_nation), 1 of 1 files, 3 of 3 row groups, 1 splits, where c_nation = 3, whole
--   divided: orders split by split: about 117 kB less for the busiest worker than for one worker alone
--     runner-up orders and customers by hash of o_customer = c_key: about 52 kB less for the busiest worker
--     or customers split by split: about 22 kB less for the busiest worker
--     not orders and customers by ranges of o_customer = c_key: they are not written in the order of that key
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # by what is looked for
SELECT sum(o_price) FROM orders WHERE o_key IN (SELECT l_order FROM lines GROUP BY l_order HAVING sum(l_quantity) > 150);
--   result: sum(o_price) DOUBLE
--     fragment 1 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(o_price)" FROM in_x0
--       in_x0: exchange 0 (gather, next to nothing) in_a0
--         fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT sum(o_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "orders" WHERE o_key IN (SELECT l_order FROM in_1 AS "lines" GROUP BY l_order HAVING sum(l_quantity) > 150)
--           in_0: scan orders: 2 of 5 columns (o_key, o_price), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_1: scan lines: 2 of 5 columns (l_order, l_quantity), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 698 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 420 kB less for the busiest worker
--     or orders split by split: about 120 kB more for the busiest worker
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # NOT IN asks for all rows
SELECT sum(o_price) FROM orders WHERE o_key NOT IN (SELECT l_order FROM lines WHERE l_quantity > 40);
--   result: sum(o_price) DOUBLE
--     fragment 2 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(o_price)" FROM in_x1
--       in_x1: exchange 1 (gather, next to nothing) in_a0
--         fragment 1 (parallel, orders by ranges of o_key, in 6 shares): SELECT sum(o_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "orders" WHERE o_key NOT IN (SELECT in_i0 AS "l_order" FROM in_x0)
--           in_0: scan orders: 2 of 5 columns (o_key, o_price), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_x0: exchange 0 (broadcast, about 307 kB) in_i0
--             fragment 0 (parallel, lines by ranges of l_order, in 6 shares): SELECT l_order AS "in_i0" FROM in_1 AS "lines" WHERE l_quantity > 40
--               in_1: scan lines: 2 of 5 columns (l_order, l_quantity), 1 of 1 files, 16 of 16 row groups, 6 splits, where l_quantity > 40
--   divided: orders and lines by ranges of o_key = l_order: about 333 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 237 kB less for the busiest worker
--     or orders split by split: about 120 kB more for the busiest worker
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange
