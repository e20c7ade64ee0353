-- # A comparison with a partition's column rules files out
SELECT value FROM events WHERE year = 2024;
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): 2 of 6 files: year=2024 kind=click, year=2024 kind=view

-- # So do several, whatever their order and spelling
SELECT value FROM events e WHERE 'view' = e.KIND AND year BETWEEN 2024 AND 2025;
-- before
--   in_0 (e): all files
-- after
--   in_0 (e): 2 of 6 files: year=2024 kind=view, year=2025 kind=view

-- # And IN
SELECT value FROM events WHERE year IN (2023, 2025) AND kind IN ('click');
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): 2 of 6 files: year=2023 kind=click, year=2025 kind=click

-- # One file is kept where none can match, for its columns
SELECT value FROM events WHERE year = 1900;
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): 1 of 6 files: year=2023 kind=click

-- # OR, functions and arithmetic rule nothing out
SELECT value FROM events WHERE (year = 2024 OR id = 1) AND year + 0 = 2024 AND abs(year) = 2024;
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): all files

-- # A column of the files rules nothing out
SELECT value FROM events WHERE id = 20240;
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): all files

-- # The preserved side of an outer join: WHERE may, ON may not
SELECT e.value FROM events e LEFT JOIN events f ON e.id = f.id AND e.year = 2023 AND f.year = 2024 WHERE e.kind = 'view';
-- before
--   in_0 (e): all files
--   in_1 (f): all files
-- after
--   in_0 (e): 3 of 6 files: year=2023 kind=view, year=2024 kind=view, year=2025 kind=view
--   in_1 (f): 2 of 6 files: year=2024 kind=click, year=2024 kind=view

-- # A sample is of all files
SELECT value FROM events TABLESAMPLE (50 PERCENT) WHERE year = 2024;
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): all files

-- # A subquery's own conditions, and a condition of the block around it
SELECT name FROM people WHERE id IN (SELECT id FROM events WHERE year = 2025) AND age > 30;
-- before
--   in_0 (people): all files
--   in_1 (events): all files
-- after
--   in_0 (people): all files
--   in_1 (events): 2 of 6 files: year=2025 kind=click, year=2025 kind=view

-- # A name that two tables have is the kernel's to refuse
SELECT e.value FROM events e JOIN events f USING (id) WHERE year = 2024;
-- before
--   in_0 (e): all files
--   in_1 (f): all files
-- after
--   in_0 (e): all files
--   in_1 (f): all files

-- # The schema may stand before the table
SELECT value FROM main.events WHERE volley.main.events.year = 2024 AND main.events.kind = 'view';
-- before
--   in_0 (events): all files
-- after
--   in_0 (events): 1 of 6 files: year=2024 kind=view

-- # Of an alias it may not
SELECT value FROM events AS e, people AS events WHERE main.events.year = 2024;
-- before
--   in_0 (e): all files
--   in_1 (events): all files
-- after
--   in_0 (e): all files
--   in_1 (events): all files
