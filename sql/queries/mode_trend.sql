-- How does one failure mode develop from day to day?
-- SET VARIABLE mode = '<failure_mode_id>' picks the mode; by default it is the most frequent one.
WITH chosen AS (
    SELECT coalesce(
        getvariable('mode'),
        (SELECT failure_mode_id FROM failures GROUP BY ALL
         ORDER BY sum(1 / probability) DESC, failure_mode_id LIMIT 1)
    ) AS failure_mode_id
),
daily AS (
    SELECT
        "day", failure_mode_id, mode_name,
        count(*) FILTER (failed) AS failures,
        weighted_count(failed, probability) AS estimated,
        hajek_rate(failed, probability) AS share,
        string_agg(DISTINCT judge_id, ', ' ORDER BY judge_id) AS judge_id
    FROM mode_observations
    WHERE failure_mode_id = (SELECT failure_mode_id FROM chosen)
    GROUP BY ALL
)
SELECT
    "day", failure_mode_id, mode_name, failures,
    estimated.value AS estimated, estimated.low AS low, estimated.high AS high,
    share.value AS share, share.low AS share_low, share.high AS share_high,
    share.n AS n, share.estimator AS estimator, judge_id
FROM daily
ORDER BY "day";
