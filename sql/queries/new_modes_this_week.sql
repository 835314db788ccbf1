-- Which failure modes appeared in the latest week that no earlier week or day knew?
-- The latest week is that of the newest day in the lake. failures: those seen in the sample.
-- estimated [low, high]: weighted to all traffic of the week, 95 %.
WITH latest AS (
    SELECT date_trunc('week', max(first_day))::DATE AS "week"
    FROM partitions
    WHERE table_name = 'failure_mode_clusters'
),
weekly AS (
    SELECT
        o.failure_mode_id, o.mode_name,
        count(*) FILTER (o.failed) AS failures,
        weighted_count(o.failed, o.probability) AS estimated,
        string_agg(DISTINCT o.judge_id, ', ' ORDER BY o.judge_id) AS judge_id
    FROM mode_observations AS o, latest
    WHERE o."day" >= latest."week"
    GROUP BY ALL
),
born AS (
    SELECT
        failure_mode_id, min("day") AS first_day,
        arg_min(trace_id, ("day", trace_id)) AS example_trace_id,
        list_sort(list(DISTINCT intent)) AS intents,
        list_sort(list(DISTINCT "release")) AS releases
    FROM failures
    GROUP BY failure_mode_id
)
SELECT
    w.failure_mode_id, w.mode_name, b.first_day, w.failures,
    w.estimated.value AS estimated, w.estimated.low AS low, w.estimated.high AS high,
    w.estimated.n AS n, w.estimated.estimator AS estimator, w.judge_id,
    b.intents, b.releases, b.example_trace_id
FROM weekly AS w
JOIN born AS b ON b.failure_mode_id = w.failure_mode_id, latest
WHERE b.first_day >= latest."week"
    AND NOT EXISTS (
        SELECT 1 FROM failure_modes AS m
        WHERE m.failure_mode_id = w.failure_mode_id AND m."week" < latest."week"
    )
ORDER BY estimated DESC, w.failure_mode_id;
