-- Every failure mode ever met, with its latest name and state; `current_id` is where a merge took it.
CREATE VIEW {{ view }} AS
WITH weekly AS (
    SELECT
        failure_mode_id,
        arg_max(name, "week") AS name,
        arg_max(named_by, "week") AS named_by,
        arg_max(state, "week") AS state,
        min(first_seen) AS first_seen
    FROM failure_modes
    GROUP BY failure_mode_id
),
daily AS (
    SELECT failure_mode_id, arg_max(name, "day") AS name, min("day") AS first_seen
    FROM failure_mode_clusters
    GROUP BY failure_mode_id
),
stands AS (
    SELECT failure_mode_id, arg_max(state, "week") AS state
    FROM mode_states
    GROUP BY failure_mode_id
),
merges AS (
    -- Each week carries all merges on, and leaves out those that people took back.
    SELECT unnest(merged_from) AS old_id, failure_mode_id AS current_id
    FROM failure_modes
    WHERE "week" = (SELECT max("week") FROM failure_modes)
)
SELECT
    coalesce(w.failure_mode_id, d.failure_mode_id) AS failure_mode_id,
    coalesce(m.current_id, w.failure_mode_id, d.failure_mode_id) AS current_id,
    coalesce(w.name, d.name) AS name,
    coalesce(w.named_by, 'terms') AS named_by,
    coalesce(s.state, w.state, 'new') AS state,
    least(w.first_seen, d.first_seen) AS first_seen
FROM weekly AS w
FULL JOIN daily AS d ON d.failure_mode_id = w.failure_mode_id
LEFT JOIN stands AS s ON s.failure_mode_id = w.failure_mode_id
LEFT JOIN merges AS m ON m.old_id = coalesce(w.failure_mode_id, d.failure_mode_id);
