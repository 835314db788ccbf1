-- What do users come for that nobody planned, how often, since when, and is it growing?
-- share [low, high]: of all traffic of the week; the interval covers the draw and the doubt who
-- belongs to a group. false_alarm_rate: of held-out exemplars that the threshold calls far.
SELECT
    week, unknown_intent_id, kind, name, n, n_users,
    share, share_low AS low, share_high AS high, n_all, estimator, share_before, trend,
    first_seen, last_seen, nearest_intent, threshold, false_alarm_rate, exemplars
FROM unknown_intents
ORDER BY week DESC, kind, share DESC, unknown_intent_id;
