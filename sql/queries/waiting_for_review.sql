-- Which failures wait for a person, gravest first, and why?
-- A failure stops waiting once the suite holds its case. One row per case, however often it came.
-- What people rejected is still listed, for annotations are no table: `caselaw review` leaves it out.
WITH waiting AS (
    SELECT
        p.case_id, p."check", p.layer, p.failure_mode_id,
        arg_max(p.trace_id, (p."day", p.trace_id)) AS trace_id,
        arg_max(p.severity, (p."day", p.trace_id)) AS severity,
        arg_max(p.stakes, (p."day", p.trace_id)) AS stakes,
        arg_max(p.intent, (p."day", p.trace_id)) AS intent,
        arg_max(p.reasons, (p."day", p.trace_id)) AS reasons,
        min(p."day") AS waiting_since,
        count(*) AS traces
    FROM promoted_cases AS p
    WHERE p.decision = 'review'
        AND NOT EXISTS (SELECT 1 FROM eval_suite AS e WHERE e.case_id = p.case_id)
    GROUP BY p.case_id, p."check", p.layer, p.failure_mode_id
)
SELECT
    w.waiting_since, w.case_id, w.trace_id, w."check", w.layer, w.intent, w.severity, w.stakes,
    w.failure_mode_id, m.name AS mode_name, w.traces, w.reasons
FROM waiting AS w
LEFT JOIN modes AS m ON m.failure_mode_id = w.failure_mode_id
ORDER BY
    list_position(['high', 'medium', 'low'], w.severity),
    list_position(['high', 'medium', 'low'], w.stakes),
    w.waiting_since, w.case_id;
