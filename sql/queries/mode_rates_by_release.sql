-- At what rate did each failure mode strike each release, over all closed weeks?
-- SET VARIABLE mode = '<failure_mode_id>' picks one. seen: failures in the sample; failures:
-- weighted to all traffic. rate [low, high]: of all traffic of the release since the mode was first
-- seen, weighted, 95 %; n: graded traces it rests on.
WITH shared AS (
    -- ids that became one mode saw the same traffic: it is counted once a week
    SELECT
        coalesce(m.current_id, r.failure_mode_id) AS failure_mode_id, r."release", r."week",
        max(r.n) AS n, sum(r.seen) AS seen,
        max(r.traffic) AS traffic, fsum(r.failures) AS failures,
        max(r.squares) AS squares, fsum(r.squares_failing) AS squares_failing,
        min(r.first_failure) AS first_failure, max(r.last_failure) AS last_failure
    FROM mode_rates AS r
    LEFT JOIN modes AS m ON m.failure_mode_id = r.failure_mode_id
    GROUP BY ALL
),
totals AS (
    SELECT
        failure_mode_id, "release",
        {
            'n': sum(n)::BIGINT, 'seen': sum(seen)::BIGINT, 'total': fsum(traffic),
            'failing': fsum(failures), 'spread': fsum(squares - traffic),
            'spread_failing': fsum(squares_failing - failures)
        } AS sums,
        min("week") AS first_week, max("week") AS last_week,
        min(first_failure) AS first_failure, max(last_failure) AS last_failure
    FROM shared
    GROUP BY ALL
),
rates AS (
    SELECT *, rate_of_sums(sums) AS r FROM totals
)
SELECT
    t.failure_mode_id, m.name AS mode_name, m.state, t."release",
    t.sums.seen AS seen, t.sums.failing AS failures,
    as_estimate(t.r.p, t.r.low, t.r.high, t.r.n, '').value AS rate,
    as_estimate(t.r.p, t.r.low, t.r.high, t.r.n, '').low AS low,
    as_estimate(t.r.p, t.r.low, t.r.high, t.r.n, '').high AS high,
    t.r.n AS n,
    'Hajek, weights 1/inclusion_probability, Wilson at the effective n' AS estimator,
    t.first_week, t.last_week, t.first_failure, t.last_failure
FROM rates AS t
LEFT JOIN modes AS m ON m.failure_mode_id = t.failure_mode_id
WHERE t.failure_mode_id = coalesce(getvariable('mode'), t.failure_mode_id)
ORDER BY t.failure_mode_id, t.first_week, t."release";
