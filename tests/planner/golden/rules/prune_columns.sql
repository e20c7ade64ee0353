-- # What is named is needed, in any case and any clause
SELECT NAME FROM people WHERE age > 3 ORDER BY "City";
-- before
--   in_0 (people): id, name, age, city
-- after
--   in_0 (people): name, age, city

-- # Without a name the number of rows is
SELECT count(*), 1 FROM people;
-- before
--   in_0 (people): id, name, age, city
-- after
--   in_0 (people): no column

-- # A star is all columns of its table
SELECT p.* FROM people p, orders;
-- before
--   in_0 (p): id, name, age, city
--   in_1 (orders): id, person_id, amount, note
-- after
--   in_0 (p): id, name, age, city
--   in_1 (orders): no column

-- # So is the name of the table
SELECT people FROM people, orders;
-- before
--   in_0 (people): id, name, age, city
--   in_1 (orders): id, person_id, amount, note
-- after
--   in_0 (people): id, name, age, city
--   in_1 (orders): no column

-- # A name before or behind a dot counts as a column of who has it
SELECT o.note.upper() FROM people p JOIN orders o ON p.id = o.person_id;
-- before
--   in_0 (p): id, name, age, city
--   in_1 (o): id, person_id, amount, note
-- after
--   in_0 (p): id
--   in_1 (o): person_id, note

-- # A subquery's names count for the blocks around it
SELECT name FROM people WHERE EXISTS (SELECT * FROM orders WHERE amount > age);
-- before
--   in_0 (people): id, name, age, city
--   in_1 (orders): id, person_id, amount, note
-- after
--   in_0 (people): name, age
--   in_1 (orders): amount

-- # A natural join needs all
SELECT note FROM people NATURAL JOIN orders;
-- before
--   in_0 (people): id, name, age, city
--   in_1 (orders): id, person_id, amount, note
-- after
--   in_0 (people): id, name, age, city
--   in_1 (orders): id, person_id, amount, note

-- # Renamed columns count by their places
SELECT b FROM people AS p(a, b);
-- before
--   in_0 (p): id, name, age, city
-- after
--   in_0 (p): id, name, age, city

-- # A derived table is pruned by what it names itself
SELECT d.name FROM (SELECT name, age FROM people WHERE city = 'Rome') d;
-- before
--   in_0 (people): id, name, age, city
-- after
--   in_0 (people): name, age, city

-- # COLUMNS and PIVOT may mean any
SELECT max(COLUMNS('a.*')) FROM people;
-- before
--   in_0 (people): id, name, age, city
-- after
--   in_0 (people): id, name, age, city

-- # Of a union each branch by itself, and ORDER BY for all
SELECT id FROM people UNION ALL SELECT amount FROM orders ORDER BY id;
-- before
--   in_0 (people): id, name, age, city
--   in_1 (orders): id, person_id, amount, note
-- after
--   in_0 (people): id
--   in_1 (orders): id, amount
