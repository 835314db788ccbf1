-- How much of the traffic has an intent that nobody planned for, and which traces show it best?
-- share [low, high] is weighted to all traffic, 95 %; examples: the traces furthest from any intent.
WITH daily AS (
    SELECT
        "day",
        hajek_rate(intent = 'unknown', inclusion_probability) AS share,
        count(*) FILTER (intent = 'unknown') AS unknown_traces,
        list(trace_id ORDER BY intent_score, trace_id) FILTER (intent = 'unknown') AS furthest
    FROM stratified_samples
    GROUP BY ALL
)
SELECT
    "day", unknown_traces, share.value AS share, share.low AS low, share.high AS high,
    share.n AS n, share.estimator AS estimator, furthest[:5] AS example_trace_ids
FROM daily
ORDER BY "day" DESC;
