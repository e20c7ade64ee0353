SELECT name FROM people SEMI JOIN orders ON person_id = people.id;

-- plan, workers = 1
-- result: name VARCHAR
--   fragment 0 (once): SELECT name FROM in_0 AS "people" SEMI JOIN in_1 AS "orders" ON person_id = people.id
--     in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 splits
--     in_1: scan orders: 1 of 4 columns (person_id), 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: name VARCHAR
--   fragment 0 (once): SELECT name FROM in_0 AS "people" SEMI JOIN in_1 AS "orders" ON person_id = people.id
--     in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 of 1 row groups, 1 splits
--     in_1: scan orders: 1 of 4 columns (person_id), 1 of 1 files, 10 of 10 row groups, 1 splits
-- not divided: no way is open
--   not orders split by split: the rows of the semi join's other side would come from each share again
--   not people and orders by ranges of id = person_id: they are not written in the order of that key
