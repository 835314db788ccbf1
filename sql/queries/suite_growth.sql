-- How does the eval suite grow: cases by the day of their first occurrence, and their running sum?
SELECT
    first_day AS "day",
    count(*) AS new_cases,
    (sum(count(*)) OVER (ORDER BY first_day))::BIGINT AS cases,
    count(*) FILTER (status = 'retired') AS of_these_retired,
    count(*) FILTER (edited) AS of_these_edited,
    count(*) FILTER (split = 'regression') AS regression,
    count(*) FILTER (split = 'example') AS example,
    count(*) FILTER (split = 'holdout') AS holdout
FROM eval_suite
GROUP BY first_day
ORDER BY first_day;
