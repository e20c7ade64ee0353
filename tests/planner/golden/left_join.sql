-- WHERE may filter the left side only, ON the right side only.
SELECT p.name, o.id FROM people p LEFT JOIN orders o ON o.person_id = p.id AND o.id < 10 AND p.age > 3 WHERE p.city = 'Rome' AND o.amount IS NULL;

-- plan, workers = 1
-- result: name VARCHAR, id BIGINT
--   fragment 0 (once): SELECT p.name, o.id FROM in_0 p LEFT JOIN in_1 o ON o.person_id = p.id AND o.id < 10 AND p.age > 3 WHERE p.city = 'Rome' AND o.amount IS NULL
--     in_0: scan people: 4 of 4 columns (id, name, age, city), 1 of 1 files, 1 of 1 row groups, 1 splits, where city = 'Rome'
--     in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 10
-- plan, workers = 3
-- result: name VARCHAR, id BIGINT
--   fragment 0 (once): SELECT p.name, o.id FROM in_0 p LEFT JOIN in_1 o ON o.person_id = p.id AND o.id < 10 AND p.age > 3 WHERE p.city = 'Rome' AND o.amount IS NULL
--     in_0: scan people: 4 of 4 columns (id, name, age, city), 1 of 1 files, 1 of 1 row groups, 1 splits, where city = 'Rome'
--     in_1: scan orders: 3 of 4 columns (id, person_id, amount), 1 of 1 files, 1 of 10 row groups, 1 splits, where id < 10
-- not divided: orders has 100 rows to read, and tables of fewer than 500 are not worth it
