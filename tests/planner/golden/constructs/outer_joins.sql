-- # the left side is divided
SELECT o_state, count(c_name) FROM orders LEFT JOIN customers ON c_key = o_customer GROUP BY o_state;
--   result: o_state VARCHAR, count(c_name) BIGINT
--     fragment 1 (once): SELECT in_k0 AS "o_state", finalize(combine_aggr(to_aggregate_state("in_a1", 'count', ['BIGINT']))) AS "count(c_name)" FROM in_x0 GROUP BY in_k0
--       in_x0: exchange 0 (gather, next to nothing) in_k0, in_a1
--         fragment 0 (parallel, orders split by split, in 3 shares): SELECT o_state AS "in_k0", count(c_name) EXPORT_STATE AS "in_a1" FROM in_0 AS "orders" LEFT JOIN in_1 AS "customers" ON c_key = o_customer GROUP BY ALL
--           in_0: scan orders: 2 of 5 columns (o_customer, o_state), 1 of 1 files, 8 of 8 row groups, 3 splits
--           in_1: scan customers: 2 of 3 columns (c_key, c_name), 1 of 1 files, 3 of 3 row groups, 1 splits, whole
--   divided: orders split by split: about 117 kB less for the busiest worker than for one worker alone
--     runner-up orders and customers by hash of o_customer = c_key: about 33 kB less for the busiest worker
--     or orders by hash of o_state: about 14 kB less for the busiest worker
--     not customers split by split: the rows of the left join's other side would come from each share again
--     not orders and customers by ranges of o_customer = c_key: they are not written in the order of that key
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # both in ranges of the key
SELECT o_key, l_price FROM orders LEFT JOIN lines ON l_order = o_key;
--   result: o_key BIGINT, l_price DOUBLE
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_key, l_price FROM in_0 AS "orders" LEFT JOIN in_1 AS "lines" ON l_order = o_key
--       in_0: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 628 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 188 kB more for the busiest worker
--     not lines split by split: the rows of the left join's other side would come from each share again
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # the right side of a LEFT join alone is not
SELECT c_name, o_price FROM customers LEFT JOIN orders ON o_customer = c_key;
--   result: c_name VARCHAR, o_price DOUBLE
--     fragment 2 (parallel, customers and orders by hash of c_key = o_customer, in shares of buckets, made as it runs): SELECT c_name, o_price FROM in_0 AS "customers" LEFT JOIN in_1 AS "orders" ON o_customer = c_key
--       in_0: exchange 1 (hash of c_key, 192 buckets, about 77 kB) c_key, c_name
--         fragment 1 (parallel, customers split by split, in 3 shares): SELECT "c_key", "c_name", ((hash("c_key") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan customers: 2 of 3 columns (c_key, c_name), 1 of 1 files, 3 of 3 row groups, 3 splits
--       in_1: exchange 0 (hash of o_customer, 192 buckets, about 256 kB) o_customer, o_price
--         fragment 0 (parallel, orders split by split, in 6 shares): SELECT "o_customer", "o_price", ((hash("o_customer") >> 32) % 192)::USMALLINT AS in_b FROM in_1
--           in_1: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: customers and orders by hash of c_key = o_customer: about 33 kB less for the busiest worker than for one worker alone
--     runner-up customers split by split: about 19 kB more for the busiest worker
--     not orders split by split: the rows of the left join's other side would come from each share again
--     not customers and orders by ranges of c_key = o_customer: they are not written in the order of that key
--     not orders by hash of o_customer: the rows of the left join's other side would come from each share again

-- # RIGHT is LEFT mirrored
SELECT c_name, o_price FROM customers RIGHT JOIN orders ON o_customer = c_key;
--   result: c_name VARCHAR, o_price DOUBLE
--     fragment 0 (parallel, orders split by split, in 3 shares): SELECT c_name, o_price FROM in_0 AS "customers" RIGHT JOIN in_1 AS "orders" ON o_customer = c_key
--       in_0: scan customers: 2 of 3 columns (c_key, c_name), 1 of 1 files, 3 of 3 row groups, 1 splits, whole
--       in_1: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 3 splits
--   divided: orders split by split: about 117 kB less for the busiest worker than for one worker alone
--     runner-up customers and orders by hash of c_key = o_customer: about 33 kB less for the busiest worker
--     not customers split by split: the rows of the right join's other side would come from each share again
--     not customers and orders by ranges of c_key = o_customer: they are not written in the order of that key
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # SEMI and ANTI joins with the other side whole
SELECT o_key FROM orders SEMI JOIN customers ON c_key = o_customer;
--   result: o_key BIGINT
--     fragment 0 (parallel, orders split by split, in 3 shares): SELECT o_key FROM in_0 AS "orders" SEMI JOIN in_1 AS "customers" ON c_key = o_customer
--       in_0: scan orders: 2 of 5 columns (o_key, o_customer), 1 of 1 files, 8 of 8 row groups, 3 splits
--       in_1: scan customers: 1 of 3 columns (c_key), 1 of 1 files, 3 of 3 row groups, 1 splits, whole
--   divided: orders split by split: about 126 kB less for the busiest worker than for one worker alone
--     runner-up orders and customers by hash of o_customer = c_key: about 29 kB less for the busiest worker
--     not customers split by split: the rows of the semi or anti join's other side would come from each share again
--     not orders and customers by ranges of o_customer = c_key: they are not written in the order of that key
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together

-- # ANTI join in ranges
SELECT o_key FROM orders ANTI JOIN lines ON l_order = o_key;
--   result: o_key BIGINT
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_key FROM in_0 AS "orders" ANTI JOIN in_1 AS "lines" ON l_order = o_key
--       in_0: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_1: scan lines: 1 of 5 columns (l_order), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 349 kB less for the busiest worker than for one worker alone
--     runner-up orders split by split: about 60 kB more for the busiest worker
--     not lines split by split: the rows of the semi or anti join's other side would come from each share again
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange
