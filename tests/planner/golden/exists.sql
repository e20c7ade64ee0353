-- EXISTS asks for no column but those that it compares.
SELECT name FROM people p WHERE EXISTS (SELECT * FROM orders o WHERE o.person_id = p.id AND o.amount > 10);

-- plan, workers = 1
-- result: name VARCHAR
--   fragment 0 (once): SELECT name FROM in_0 p WHERE EXISTS (SELECT * FROM in_1 o WHERE o.person_id = p.id AND o.amount > 10)
--     in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 splits
--     in_1: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits, where amount > 10
-- plan, workers = 3
-- result: name VARCHAR
--   fragment 0 (once): SELECT name FROM in_0 p WHERE EXISTS (SELECT * FROM in_1 o WHERE o.person_id = p.id AND o.amount > 10)
--     in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 of 1 row groups, 1 splits
--     in_1: scan orders: 2 of 4 columns (person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits, where amount > 10
-- not divided: no way is open
--   not orders split by split: it is read in a subquery that mentions rows around it
--   not people and orders by ranges of id = person_id: they are not written in the order of that key
