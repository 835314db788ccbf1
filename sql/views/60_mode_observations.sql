-- One row per day, failure mode and graded trace: was the trace found in the mode or not.
-- hajek_rate(failed, probability) over it is the mode's share, weighted_count its number.
CREATE VIEW {{ view }} AS
WITH mode_checks AS (
    SELECT DISTINCT failure_mode_id, "check" FROM failures
),
names AS (
    SELECT failure_mode_id, any_value(mode_name) AS mode_name FROM failures GROUP BY ALL
),
seen AS (
    SELECT
        v."day", m.failure_mode_id, v.trace_id,
        bool_or(f.trace_id IS NOT NULL) AS failed,
        coalesce(max(v.probability) FILTER (f.trace_id IS NOT NULL), min(v.probability))
            AS probability,
        max(v.grader_id) FILTER (v.layer = 'judge') AS judge_id
    FROM verdicts AS v
    JOIN mode_checks AS m ON m."check" = v."check"
    LEFT JOIN failures AS f
        ON f."day" = v."day" AND f.trace_id = v.trace_id AND f."check" = v."check"
        AND f.failure_mode_id = m.failure_mode_id AND v.failed
    GROUP BY ALL
)
SELECT
    g."day", n.failure_mode_id, n.mode_name, g.trace_id, g.intent, g.stakes, g."release",
    coalesce(s.failed, false) AS failed,
    coalesce(s.probability, g.inclusion_probability) AS probability,
    s.judge_id
FROM graded_traces AS g
CROSS JOIN names AS n
LEFT JOIN seen AS s
    ON s."day" = g."day" AND s.trace_id = g.trace_id AND s.failure_mode_id = n.failure_mode_id;
