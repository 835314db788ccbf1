-- Where does each failure mode stand, since when and why, and which cases of the suite cover it?
-- As the latest closed week left it. seen: failures in the sample; failures: weighted to all traffic. rate [rate_low, rate_high]: of all traffic of that week,
-- weighted, 95 %; before and after: of a claimed fix. cases: active ones, by id.
WITH latest AS (
    SELECT max("week") AS "week" FROM mode_states
),
covering AS (
    SELECT
        coalesce(m.current_id, e.failure_mode_id) AS failure_mode_id,
        list_sort(list(e.case_id)) AS cases
    FROM eval_suite AS e
    LEFT JOIN modes AS m ON m.failure_mode_id = e.failure_mode_id
    WHERE e.status = 'active'
    GROUP BY ALL
)
SELECT
    s."week", s.failure_mode_id, s.name, s.state, s.since, s.reason, s.first_seen, s.last_seen,
    s.releases, s.seen, s.failures, s.rate, s.rate_low, s.rate_high, s.rate_n, s.expected,
    s.fix_release, s.fix_from, s.fix_verdict, s.fix_p, s.fix_needs,
    s.before, s.before_low, s.before_high, s.before_n,
    s."after", s.after_low, s.after_high, s.after_n,
    s.verified_on, s.regressed_on, s.regressed_release, s.estimator,
    coalesce(len(c.cases), 0) AS active_cases, c.cases
FROM mode_states AS s
JOIN latest AS l ON l."week" = s."week"
LEFT JOIN covering AS c ON c.failure_mode_id = s.failure_mode_id
ORDER BY
    list_position(
        ['regressed', 'escalating', 'fixed_unverified', 'new', 'ongoing', 'verified', 'quiet'],
        s.state
    ) NULLS LAST,
    s.failures DESC, s.failure_mode_id;
