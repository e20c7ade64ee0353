-- Conjuncts of WHERE and ON move to the scans; the one over both tables stays.
SELECT p.name, sum(o.amount) FROM people p JOIN orders o ON o.person_id = p.id AND o.id > 500 WHERE p.age > 30 AND o.amount > p.age GROUP BY ALL;

-- plan, workers = 1
-- result: name VARCHAR, sum(o.amount) DOUBLE
--   fragment 0 (once): SELECT p.name, sum(o.amount) FROM in_0 p JOIN in_1 o ON o.person_id = p.id AND o.id > 500 WHERE p.age > 30 AND o.amount > p.age GROUP BY ALL
--     in_0: scan people: 3 of 4 columns (id, name, age), 1 of 1 files, 1 of 1 row groups, 1 splits, where age > 30
--     in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 5 of 10 row groups, 1 splits, where id > 500
-- plan, workers = 3
-- result: name VARCHAR, sum(o.amount) DOUBLE
--   fragment 1 (once): SELECT in_k0 AS "name", finalize(combine_aggr(to_aggregate_state("in_a1", 'sum', ['DOUBLE']))) AS "sum(o.amount)" FROM in_x0 GROUP BY ALL
--     in_x0: exchange 0 (gather, next to nothing) in_k0, in_a1
--       fragment 0 (parallel, orders split by split, in 3 shares): SELECT p.name AS "in_k0", sum(o.amount) EXPORT_STATE AS "in_a1" FROM in_0 p JOIN in_1 o ON o.person_id = p.id AND o.id > 500 WHERE p.age > 30 AND o.amount > p.age GROUP BY ALL
--         in_0: scan people: 3 of 4 columns (id, name, age), 1 of 1 files, 1 of 1 row groups, 1 splits, where age > 30, whole
--         in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 5 of 10 row groups, 3 splits, where id > 500
-- divided: orders split by split: about 24 kB less for the busiest worker than for one worker alone
--   runner-up people and orders by hash of id = person_id: about 16 kB less for the busiest worker
--   not people and orders by ranges of id = person_id: they are not written in the order of that key
--   not orders by hash of person_id: its rows may lie anywhere, and need not be brought together
