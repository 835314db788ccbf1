-- Verdicts that decide something (pass or fail), with the probability that each was seen at all.
CREATE VIEW {{ view }} AS
SELECT
    "day", trace_id, "check", grader_id, layer, axis, severity, error_class,
    intent, stakes, "release",
    verdict = 'fail' AS failed,
    least(1.0, 1 / weight) AS inclusion_probability,
    coalesce(rate_probability, 1.0) AS check_probability,
    least(1.0, 1 / weight) * coalesce(rate_probability, 1.0) AS probability
FROM grades
WHERE verdict IN ('pass', 'fail');
