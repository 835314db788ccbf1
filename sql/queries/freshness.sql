-- How fresh is each table: its latest partition, how old that is, and how many are missing before it?
-- An empty day counts as published. age_days counts from the end of the latest partition to today (UTC).
WITH spans AS (
    SELECT
        table_name, unit,
        min(first_day) AS first_partition,
        max(first_day) AS last_partition,
        count(DISTINCT first_day) AS partitions,
        CASE unit WHEN 'week' THEN 7 ELSE 1 END AS days
    FROM partitions
    GROUP BY ALL
)
SELECT
    table_name, unit, first_partition, last_partition, partitions,
    date_diff('day', first_partition, last_partition) // days + 1 - partitions AS missing,
    date_diff('day', last_partition + days::INTEGER, (now() AT TIME ZONE 'UTC')::DATE) AS age_days
FROM spans
ORDER BY table_name;
