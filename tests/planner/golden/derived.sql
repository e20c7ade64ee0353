SELECT d.total FROM (SELECT person_id, sum(amount) AS total FROM orders WHERE id > 900 GROUP BY person_id) AS d WHERE d.total > 5;

-- plan, workers = 1
-- result: total DOUBLE
--   fragment 0 (once): SELECT d.total FROM (SELECT person_id, sum(amount) AS total FROM in_0 AS "orders" WHERE id > 900 GROUP BY person_id) AS d WHERE d.total > 5
--     in_0: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 1 of 10 row groups, 1 splits, where id > 900
-- plan, workers = 3
-- result: total DOUBLE
--   fragment 0 (once): SELECT d.total FROM (SELECT person_id, sum(amount) AS total FROM in_0 AS "orders" WHERE id > 900 GROUP BY person_id) AS d WHERE d.total > 5
--     in_0: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 1 of 10 row groups, 1 splits, where id > 900
-- not divided: orders has 100 rows to read, and tables of fewer than 500 are not worth it
