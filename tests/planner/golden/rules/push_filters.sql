-- # Each conjunct goes to the scan whose columns it mentions, and to no other
SELECT p.name FROM people p JOIN orders o ON p.id = o.person_id WHERE p.age > 30 AND o.amount < 9 AND p.id + o.id > 3;
-- before
--   in_0 (p): all rows
--   in_1 (o): all rows
-- after
--   in_0 (p): p.age > 30
--   in_1 (o): o.amount < 9

-- # A name without a table, if only one has it
SELECT name FROM people, orders WHERE age > 30 AND note LIKE 'note%' AND orders.id = 3;
-- before
--   in_0 (people): all rows
--   in_1 (orders): all rows
-- after
--   in_0 (people): age > 30
--   in_1 (orders): note LIKE 'note%' AND orders.id = 3

-- # ON of an inner join is as WHERE
SELECT p.name FROM people p JOIN orders o ON p.id = o.person_id AND p.city = 'Rome' AND amount > 1;
-- before
--   in_0 (p): all rows
--   in_1 (o): all rows
-- after
--   in_0 (p): p.city = 'Rome'
--   in_1 (o): amount > 1

-- # ON of a left join filters the right side, WHERE the left
SELECT p.name FROM people p LEFT JOIN orders o ON o.person_id = p.id AND o.amount > 1 AND p.age > 3 WHERE p.city = 'Rome' AND o.note IS NULL;
-- before
--   in_0 (p): all rows
--   in_1 (o): all rows
-- after
--   in_0 (p): p.city = 'Rome'
--   in_1 (o): o.amount > 1

-- # Nothing passes a full join
SELECT p.name FROM people p FULL JOIN orders o ON o.person_id = p.id AND o.amount > 1 WHERE p.age > 3 AND o.note IS NULL;
-- before
--   in_0 (p): all rows
--   in_1 (o): all rows
-- after
--   in_0 (p): all rows
--   in_1 (o): all rows

-- # A column that USING merges is none's
SELECT name FROM people JOIN orders USING (id) WHERE id > 3 AND orders.id < 7;
-- before
--   in_0 (people): all rows
--   in_1 (orders): all rows
-- after
--   in_0 (people): all rows
--   in_1 (orders): orders.id < 7

-- # Functions of one row's values may move
SELECT id FROM people WHERE upper(name) = 'ADA' AND main.length(city) > 3 AND coalesce(age, 0) > 3;
-- before
--   in_0 (people): all rows
-- after
--   in_0 (people): upper(name) = 'ADA' AND main.length(city) > 3 AND coalesce(age, 0) > 3

-- # What is volatile, tells the time, aggregates or is not known stays
SELECT id FROM people WHERE random() < 0.5 AND age(DATE '2024-01-01') > INTERVAL 1 DAY AND brand_new(name) AND name.upper() = 'ADA';
-- before
--   in_0 (people): all rows
-- after
--   in_0 (people): all rows

-- # What has a subquery or a lambda stays
SELECT id FROM people WHERE age > (SELECT min(id) FROM orders WHERE amount > 2) AND len(list_filter([age], lambda x: x > 1)) = 1;
-- before
--   in_0 (people): all rows
--   in_1 (orders): all rows
-- after
--   in_0 (people): all rows
--   in_1 (orders): amount > 2

-- # Two relations of one name are told apart by the kernel only
SELECT 1 FROM people, orders AS people WHERE people.age > 30 AND amount > 3;
-- before
--   in_0 (people): all rows
--   in_1 (people): all rows
-- after
--   in_0 (people): all rows
--   in_1 (people): amount > 3

-- # The condition of the block around a subquery stays out of it
SELECT name FROM people WHERE EXISTS (SELECT 1 FROM orders WHERE person_id = people.id AND amount > 3 AND people.age > 30);
-- before
--   in_0 (people): all rows
--   in_1 (orders): all rows
-- after
--   in_0 (people): all rows
--   in_1 (orders): amount > 3
