-- Nothing moves below a full join.
SELECT p.name, o.id FROM people p FULL JOIN orders o ON o.person_id = p.id AND o.id < 10 WHERE p.city = 'Rome' AND o.amount > 1;

-- plan, workers = 1
-- result: name VARCHAR, id BIGINT
--   fragment 0 (once): SELECT p.name, o.id FROM in_0 p FULL JOIN in_1 o ON o.person_id = p.id AND o.id < 10 WHERE p.city = 'Rome' AND o.amount > 1
--     in_0: scan people: 3 of 4 columns (id, name, city), 1 of 1 files, 1 splits
--     in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: name VARCHAR, id BIGINT
--   fragment 0 (once): SELECT p.name, o.id FROM in_0 p FULL JOIN in_1 o ON o.person_id = p.id AND o.id < 10 WHERE p.city = 'Rome' AND o.amount > 1
--     in_0: scan people: 3 of 4 columns (id, name, city), 1 of 1 files, 1 of 1 row groups, 1 splits
--     in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 10 of 10 row groups, 1 splits
-- not divided: no way is open
--   not orders split by split: the rows of the full join's other side would come from each share again
--   not people and orders by ranges of id = person_id: they are not written in the order of that key
