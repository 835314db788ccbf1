-- One row per day and graded trace, with the probability that it was drawn.
CREATE VIEW {{ view }} AS
SELECT
    "day", trace_id,
    any_value(intent) AS intent, any_value(stakes) AS stakes, any_value("release") AS "release",
    least(1.0, 1 / any_value(weight)) AS inclusion_probability
FROM grades
GROUP BY "day", trace_id;
