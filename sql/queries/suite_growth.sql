-- How does the eval suite grow: cases added and retired each week, and how many were active at its end?
-- A case of before the suite noted days counts as added when it first failed; week: its Monday.
WITH events AS (
    SELECT
        date_trunc('week', coalesce(added_on, first_day))::DATE AS week, 1 AS added, 0 AS retired,
        split, edited
    FROM eval_suite
    UNION ALL
    SELECT date_trunc('week', retired_on)::DATE, 0, 1, NULL, false
    FROM eval_suite
    WHERE retired_on IS NOT NULL
)
SELECT
    week,
    sum(added)::BIGINT AS added,
    sum(retired)::BIGINT AS retired,
    (sum(sum(added) - sum(retired)) OVER (ORDER BY week))::BIGINT AS active,
    count(*) FILTER (split = 'regression') AS regression,
    count(*) FILTER (split = 'example') AS example,
    count(*) FILTER (split = 'holdout') AS holdout,
    count(*) FILTER (edited) AS of_these_edited
FROM events
WHERE week IS NOT NULL
GROUP BY week
ORDER BY week;
