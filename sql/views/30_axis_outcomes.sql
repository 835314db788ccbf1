-- One row per day, trace and axis (and axis 'any'): was a failure found, and how probable was it to
-- be seen. A trace whose outcome on the axis stayed open (unknown, error) is left out; one that the
-- rules kept from the judge counts as a trace without a finding on the judge's axes.
CREATE VIEW {{ view }} AS
WITH marked AS (
    SELECT
        "day", trace_id, axis, verdict = 'fail' AS failed,
        verdict IN ('pass', 'fail') AS decided, verdict IN ('unknown', 'error') AS is_open,
        layer = 'judge' AS by_judge,
        least(1.0, 1 / weight) * coalesce(rate_probability, 1.0) AS probability
    FROM grades
),
by_axis AS (
    SELECT
        "day", trace_id, axis, bool_or(failed) AS failed,
        coalesce(max(probability) FILTER (failed), min(probability) FILTER (decided)) AS probability,
        NOT bool_or(failed) AND CASE WHEN bool_or(by_judge)
            THEN bool_or(is_open AND by_judge) AND NOT bool_or(decided AND by_judge)
            ELSE bool_or(is_open) AND NOT bool_or(decided) END AS is_open
    FROM marked
    WHERE axis IS NOT NULL
    GROUP BY "day", trace_id, axis
),
everywhere AS (
    SELECT
        "day", trace_id, 'any' AS axis, bool_or(failed) AS failed,
        coalesce(max(probability) FILTER (failed), min(probability) FILTER (decided)) AS probability,
        NOT bool_or(decided) AS is_open
    FROM marked
    GROUP BY "day", trace_id
),
found AS (
    SELECT * FROM by_axis
    UNION ALL BY NAME
    SELECT * FROM everywhere
),
axes AS (
    SELECT DISTINCT "day", axis FROM found
)
SELECT
    g."day", g.trace_id, a.axis, g.intent, g.stakes, g."release",
    coalesce(f.failed, false) AS failed,
    coalesce(f.probability, g.inclusion_probability) AS probability
FROM graded_traces AS g
JOIN axes AS a ON a."day" = g."day"
LEFT JOIN found AS f ON f."day" = g."day" AND f.trace_id = g.trace_id AND f.axis = a.axis
WHERE NOT coalesce(f.is_open, false);
