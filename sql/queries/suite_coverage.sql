-- Which failure modes does the suite hold a case of, and which of the largest does it not?
-- covered: an active case exists. failures: those seen in the sample of all days. estimated
-- [low, high]: weighted to all traffic, 95 %; share_of_failures: of the sum of all estimates, as
-- rough as they are.
WITH cases AS (
    SELECT
        coalesce(m.current_id, e.failure_mode_id) AS failure_mode_id,
        count(*) FILTER (e.status = 'active') AS active_cases,
        sum(e.occurrences)::BIGINT AS occurrences
    FROM eval_suite AS e
    LEFT JOIN modes AS m ON m.failure_mode_id = e.failure_mode_id
    GROUP BY ALL
),
totals AS (
    SELECT
        failure_mode_id, mode_name,
        count(*) FILTER (failed) AS failures,
        weighted_count(failed, probability) AS estimated,
        string_agg(DISTINCT judge_id, ', ' ORDER BY judge_id) AS judge_id
    FROM mode_observations
    GROUP BY ALL
)
SELECT
    t.failure_mode_id, t.mode_name, coalesce(c.active_cases, 0) > 0 AS covered,
    coalesce(c.active_cases, 0) AS active_cases, coalesce(c.occurrences, 0) AS folded_traces,
    t.failures, t.estimated.value AS estimated, t.estimated.low AS low, t.estimated.high AS high,
    t.estimated.n AS n, t.estimated.estimator AS estimator, t.judge_id,
    round(t.estimated.value / sum(t.estimated.value) OVER (), 6) AS share_of_failures
FROM totals AS t
LEFT JOIN cases AS c ON c.failure_mode_id = t.failure_mode_id
WHERE t.failures > 0
ORDER BY estimated DESC, t.failure_mode_id;
