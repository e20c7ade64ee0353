-- Who orders, and for how much.
SELECT country, count(*) AS orders, sum(amount) AS total, max(amount) AS largest
FROM orders JOIN customers USING (customer_id)
WHERE status <> 'returned'
GROUP BY country
ORDER BY total DESC
LIMIT 5;

-- The best customer of each segment.
SELECT segment, name, total
FROM (
    SELECT segment, name, customer_id, sum(amount) AS total
    FROM orders JOIN customers USING (customer_id)
    GROUP BY ALL
) AS spent
QUALIFY row_number() OVER (PARTITION BY segment ORDER BY total DESC, customer_id) = 1
ORDER BY segment;

-- Customers who never came back.
WITH last_orders AS (
    SELECT customer_id, max(ordered_at) AS last_ordered_at FROM orders GROUP BY customer_id
)
SELECT name, country, last_ordered_at
FROM customers LEFT JOIN last_orders USING (customer_id)
WHERE last_ordered_at IS NULL OR last_ordered_at < DATE '2024-07-01'
ORDER BY last_ordered_at NULLS FIRST, customer_id
LIMIT 5;
