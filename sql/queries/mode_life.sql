-- How did the state of each failure mode change from week to week?
-- SET VARIABLE mode = '<failure_mode_id>' picks one. A row a week in which the state changed.
-- rate [rate_low, rate_high]: of all traffic of that week, weighted, 95 %; rate_n: graded traces.
WITH lives AS (
    SELECT
        coalesce(m.current_id, s.failure_mode_id) AS failure_mode_id, s."week", s.name, s.state,
        s.reason, s.rate, s.rate_low, s.rate_high, s.rate_n, s.estimator,
        lag(s.state) OVER (PARTITION BY s.failure_mode_id ORDER BY s."week") AS state_before
    FROM mode_states AS s
    LEFT JOIN modes AS m ON m.failure_mode_id = s.failure_mode_id
)
SELECT
    failure_mode_id, "week", name, state_before, state, reason,
    rate, rate_low, rate_high, rate_n, estimator
FROM lives
WHERE state IS DISTINCT FROM state_before
    AND failure_mode_id = coalesce(getvariable('mode'), failure_mode_id)
ORDER BY failure_mode_id, "week";
