-- What share of all conversations failed on each axis, day by day?
-- 'any' is the share that failed anywhere; unknown: sampled traces of which no grader could tell. Rates that a judge took part in name the judge.
WITH daily AS (
    SELECT
        "day", axis, hajek_rate(failed, probability) AS share,
        count(*) FILTER (unknown) AS unknown
    FROM axis_outcomes
    GROUP BY ALL
),
judges AS (
    SELECT "day", axis, string_agg(DISTINCT grader_id, ', ' ORDER BY grader_id) AS judge_id
    FROM (
        SELECT "day", axis, grader_id FROM verdicts WHERE layer = 'judge'
        UNION ALL
        SELECT "day", 'any', grader_id FROM verdicts WHERE layer = 'judge'
    )
    GROUP BY ALL
)
SELECT
    d."day", d.axis, d.share.value AS share, d.share.low AS low, d.share.high AS high,
    d.share.n AS n, d.unknown, d.share.estimator AS estimator, j.judge_id
FROM daily AS d
LEFT JOIN judges AS j ON j."day" = d."day" AND j.axis = d.axis
ORDER BY d."day" DESC, d.axis <> 'any', d.axis;
