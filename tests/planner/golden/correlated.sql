SELECT name, (SELECT max(amount) FROM orders WHERE person_id = people.id) AS most FROM people WHERE age > 30;

-- plan, workers = 1
-- result: name VARCHAR, most DOUBLE
--   fragment 0 (once): SELECT name, (SELECT max(amount) FROM in_1 AS "orders" WHERE person_id = people.id) AS most FROM in_0 AS "people" WHERE age > 30
--     in_0: scan people: 3 of 4 columns (id, name, age), 1 of 1 files, 1 of 1 row groups, 1 splits, where age > 30
--     in_1: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: name VARCHAR, most DOUBLE
--   fragment 0 (once): SELECT name, (SELECT max(amount) FROM in_1 AS "orders" WHERE person_id = people.id) AS most FROM in_0 AS "people" WHERE age > 30
--     in_0: scan people: 3 of 4 columns (id, name, age), 1 of 1 files, 1 of 1 row groups, 1 splits, where age > 30
--     in_1: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits
-- not divided: no way is open
--   not orders split by split: it is read in a subquery that mentions rows around it
--   not people and orders by ranges of id = person_id: it is read in a subquery that mentions rows around it
--   not people and orders by hash of id = person_id: it is read in a subquery that mentions rows around it
--   not orders by hash of person_id: it is read in a subquery that mentions rows around it
