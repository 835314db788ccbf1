-- Which failure modes hit our users on each day, and how many conversations in all traffic?
-- failures: those seen in the sample. estimated [low, high]: weighted to all traffic, 95 %;
-- n: traces graded that day.
WITH daily AS (
    SELECT
        "day", failure_mode_id, mode_name,
        count(*) FILTER (failed) AS failures,
        weighted_count(failed, probability) AS estimated,
        hajek_rate(failed, probability) AS share,
        string_agg(DISTINCT judge_id, ', ' ORDER BY judge_id) AS judge_id
    FROM mode_observations
    GROUP BY ALL
)
SELECT
    "day", failure_mode_id, mode_name, failures,
    estimated.value AS estimated, estimated.low AS low, estimated.high AS high,
    share.value AS share, share.low AS share_low, share.high AS share_high,
    share.n AS n, share.estimator AS estimator, judge_id
FROM daily
WHERE failures > 0
ORDER BY "day" DESC, estimated DESC, failure_mode_id;
