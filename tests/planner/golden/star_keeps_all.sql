SELECT * FROM people WHERE city = 'Rome';

-- plan, workers = 1
-- result: id BIGINT, name VARCHAR, age BIGINT, city VARCHAR
--   fragment 0 (once): SELECT * FROM in_0 AS "people" WHERE city = 'Rome'
--     in_0: scan people: 4 of 4 columns (id, name, age, city), 1 of 1 files, 1 of 1 row groups, 1 splits, where city = 'Rome'
-- plan, workers = 3
-- result: id BIGINT, name VARCHAR, age BIGINT, city VARCHAR
--   fragment 0 (once): SELECT * FROM in_0 AS "people" WHERE city = 'Rome'
--     in_0: scan people: 4 of 4 columns (id, name, age, city), 1 of 1 files, 1 of 1 row groups, 1 splits, where city = 'Rome'
-- not divided: people has 5 rows to read, and tables of fewer than 500 are not worth it
