-- Each failure with the failure mode it belongs to today (after merges) and the mode's latest name.
CREATE VIEW {{ view }} AS
SELECT
    c."day", c.trace_id, c."check", c.layer, c.intent, c.stakes, c."release", c.severity,
    coalesce(old.current_id, c.failure_mode_id) AS failure_mode_id,
    coalesce(latest.name, old.name, c.name) AS mode_name,
    c.failure_mode_id AS mode_id_of_the_day,
    c.provisional,
    c.description,
    coalesce(v.probability, least(1.0, 1 / c.weight)) AS probability
FROM failure_mode_clusters AS c
LEFT JOIN modes AS old ON old.failure_mode_id = c.failure_mode_id
LEFT JOIN modes AS latest ON latest.failure_mode_id = old.current_id
LEFT JOIN (
    SELECT "day", trace_id, "check", max(probability) AS probability
    FROM verdicts
    WHERE failed
    GROUP BY ALL
) AS v ON v."day" = c."day" AND v.trace_id = c.trace_id AND v."check" = c."check";
