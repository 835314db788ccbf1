-- Which failure modes came or went with which release of the agent, and at what rate?
-- failures: those seen in the sample of all days. share [low, high]: of all traffic of that release,
-- weighted, 95 %; n: graded traces it rests on.
WITH by_release AS (
    SELECT
        "release", failure_mode_id, mode_name,
        count(*) FILTER (failed) AS failures,
        weighted_count(failed, probability) AS estimated,
        hajek_rate(failed, probability) AS share,
        string_agg(DISTINCT judge_id, ', ' ORDER BY judge_id) AS judge_id
    FROM mode_observations
    GROUP BY ALL
)
SELECT
    "release", failure_mode_id, mode_name, failures,
    estimated.value AS estimated, estimated.low AS low, estimated.high AS high,
    share.value AS share, share.low AS share_low, share.high AS share_high,
    share.n AS n, share.estimator AS estimator, judge_id
FROM by_release
WHERE failures > 0
ORDER BY estimated DESC, "release", failure_mode_id;
