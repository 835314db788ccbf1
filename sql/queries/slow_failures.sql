-- What creeps up from week to week without any headline failure, and how sure is that?
-- Of the latest closed week, what creeps first. value [low, high]: weighted mean a conversation
-- (complaints: share), 95 %; rise: of the fitted line over the weeks; q_value: the false share
-- among all findings up to this one; since: the week that found it; baseline: the mean before it
-- rose; passing_share: of the rise, what conversations without a failed check show. SET VARIABLE all = 'yes' shows what does not creep, too.
-- A trend takes trend_least_weeks weeks (6 by default): before, nothing is said to creep.
WITH latest AS (
    SELECT max("week") AS "week" FROM slow_failures
)
SELECT
    s."week", s.scope, s.subject, m.name AS mode_name, s.metric, s.creeping,
    s.value, s.low, s.high, s.n, s.estimator,
    s.rise, s.weeks, s.first_week, s.p_value, s.q_value, s.since, s.baseline, s.passing_share
FROM slow_failures AS s
JOIN latest AS l ON l."week" = s."week"
LEFT JOIN modes AS m ON s.scope = 'mode' AND m.failure_mode_id = s.subject
WHERE s.creeping OR getvariable('all') IS NOT NULL
ORDER BY s.creeping DESC, s.q_value NULLS LAST, s.scope, s.subject, s.metric;
