-- One row per day, trace and axis (and axis 'any'): was a failure found, could nobody tell, and how
-- probable was it to be seen. A trace that the rules kept from the judge, or of which the judge could
-- not tell, counts as one without a finding; one on which the last grader broke off is left out.
CREATE VIEW {{ view }} AS
WITH marked AS (
    SELECT
        "day", trace_id, axis, verdict = 'fail' AS failed,
        verdict IN ('pass', 'fail') AS decided, verdict = 'unknown' AS unknown,
        verdict = 'error' AS broken,
        layer = 'judge' OR NOT bool_or(layer = 'judge') OVER (PARTITION BY "day", trace_id, axis)
            AS last_word,
        least(1.0, 1 / weight) * coalesce(rate_probability, 1.0) AS probability
    FROM grades
),
by_axis AS (
    SELECT
        "day", trace_id, axis, bool_or(failed) AS failed,
        coalesce(max(probability) FILTER (failed), min(probability) FILTER (decided)) AS probability,
        NOT bool_or(failed) AND bool_or(unknown AND last_word)
            AND NOT bool_or(decided AND last_word) AS unknown,
        NOT bool_or(failed) AND bool_or(broken AND last_word)
            AND NOT bool_or((decided OR unknown) AND last_word) AS broken
    FROM marked
    WHERE axis IS NOT NULL
    GROUP BY "day", trace_id, axis
),
everywhere AS (
    SELECT
        "day", trace_id, 'any' AS axis, bool_or(failed) AS failed,
        coalesce(max(probability) FILTER (failed), min(probability) FILTER (decided)) AS probability,
        false AS unknown,
        NOT bool_or(decided) AS broken
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
    coalesce(f.unknown, false) AS unknown,
    coalesce(f.probability, g.inclusion_probability) AS probability
FROM graded_traces AS g
JOIN axes AS a ON a."day" = g."day"
LEFT JOIN found AS f ON f."day" = g."day" AND f.trace_id = g.trace_id AND f.axis = a.axis
WHERE NOT coalesce(f.broken, false);
