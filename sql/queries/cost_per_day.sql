-- What does a day cost: the agent's own calls (weighted to all traffic), and the judge's?
-- agent_usd [low, high] rests on the n sampled traces that state a cost. The judge's two figures come
-- from the ledger: what asking anew for every judged trace would cost, and what was really paid.
WITH agent AS (
    SELECT
        t."day",
        weighted_total(t.cost_usd, s.inclusion_probability) AS agent,
        count(*) FILTER (t.cost_usd IS NULL) AS unstated,
        sum(1 / s.inclusion_probability) AS traces
    FROM redacted_traces AS t
    JOIN stratified_samples AS s ON s."day" = t."day" AND s.trace_id = t.trace_id
    GROUP BY t."day"
),
judged AS (
    SELECT DISTINCT "day", trace_id, split_part(grader_id, '@', 1) AS judge_id FROM grades WHERE layer = 'judge'
),
answers AS (
    SELECT judge_id, content, sum(coalesce(cost_usd, reserved_usd)) AS usd
    FROM judge_calls
    WHERE NOT cache_hit
    GROUP BY ALL
),
uncached AS (
    SELECT j."day", sum(a.usd) AS usd
    FROM judged AS j
    JOIN (SELECT DISTINCT judge_id, trace_id, content FROM judge_calls) AS c
        ON c.judge_id = j.judge_id AND c.trace_id = j.trace_id
    JOIN answers AS a ON a.judge_id = c.judge_id AND a.content = c.content
    GROUP BY j."day"
),
paid AS (
    SELECT j."day", sum(coalesce(c.cost_usd, c.reserved_usd)) AS usd
    FROM judged AS j
    JOIN judge_calls AS c ON c.judge_id = j.judge_id AND c.trace_id = j.trace_id
    GROUP BY j."day"
),
free AS (
    SELECT "day", max(value) AS usd FROM run_summaries
    WHERE metric = 'judge_cost_usd'
    GROUP BY "day"
)
SELECT
    a."day", round(a.traces, 1) AS estimated_traces,
    a.agent.value AS agent_usd, a.agent.low AS low, a.agent.high AS high,
    a.agent.n AS n, a.unstated AS traces_without_cost, a.agent.estimator AS estimator,
    round(coalesce(u.usd, f.usd), 6) AS judge_usd_as_if_uncached,
    round(coalesce(p.usd, f.usd), 6) AS judge_usd_paid
FROM agent AS a
LEFT JOIN uncached AS u ON u."day" = a."day"
LEFT JOIN paid AS p ON p."day" = a."day"
LEFT JOIN free AS f ON f."day" = a."day"
ORDER BY a."day" DESC;
