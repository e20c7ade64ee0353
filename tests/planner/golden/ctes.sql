WITH recursive steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 3), rich AS (SELECT person_id FROM orders WHERE amount > 400)
SELECT steps.n, count(*) FROM steps, rich WHERE rich.person_id = steps.n GROUP BY steps.n;

-- plan, workers = 1
-- result: n INTEGER, count_star() BIGINT
--   fragment 0 (once): WITH RECURSIVE steps (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 3), rich AS (SELECT person_id FROM in_0 AS "orders" WHERE amount > 400) SELECT steps.n, count(*) FROM steps, rich WHERE rich.person_id = steps.n GROUP BY steps.n
--     in_0: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits, where amount > 400
-- plan, workers = 3
-- result: n INTEGER, count_star() BIGINT
--   fragment 0 (once): WITH RECURSIVE steps (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 3), rich AS (SELECT person_id FROM in_0 AS "orders" WHERE amount > 400) SELECT steps.n, count(*) FROM steps, rich WHERE rich.person_id = steps.n GROUP BY steps.n
--     in_0: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits, where amount > 400
-- not divided: no way is open
--   not orders split by split: a recursive query reads the table
