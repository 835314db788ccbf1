-- How do failure rates differ between groups of users: segments, regions, plans, tenants?
-- SET VARIABLE attribute = 'app.region' picks a span attribute that redaction lets pass (app.segment
-- by default), axis = 'tone' an axis ('any' by default). share [low, high] is weighted to all traffic
-- of the group, 95 %; n: graded traces of all days it rests on.
-- A group of fewer than smallest_group() users (sessions where users are unknown, conversations where
-- both are) is not shown. All such are folded into one row, with as many of the next larger ones as it
-- takes until that row has enough: so no hidden group is left over when the others are subtracted.
WITH stated AS (
    SELECT DISTINCT unnest(json_keys(attributes)) AS name FROM redacted_traces
),
observed AS (
    SELECT
        o.failed, o.probability,
        coalesce(
            json_extract_string(
                t.attributes,
                '$."' || regexp_replace(
                    coalesce(getvariable('attribute'), 'app.segment'), '(["\\])', '\\\1', 'g'
                ) || '"'
            ),
            '(not stated)'
        ) AS segment,
        coalesce('user ' || t.user_key, 'session ' || t.session_id, 'trace ' || t.trace_id) AS who
    FROM axis_outcomes AS o
    JOIN redacted_traces AS t ON t."day" = o."day" AND t.trace_id = o.trace_id
    WHERE o.axis = coalesce(getvariable('axis'), 'any')
),
ranked AS (
    SELECT segment, users, row_number() OVER (ORDER BY users, segment) AS place
    FROM (SELECT segment, count(DISTINCT who) AS users FROM observed GROUP BY segment)
),
-- Each user stands in the smallest of its groups, so that sums count nobody twice.
placed AS (
    SELECT o.who, min(r.place) AS place
    FROM observed AS o
    JOIN ranked AS r ON r.segment = o.segment
    GROUP BY o.who
),
together AS (
    SELECT r.place, r.users, sum(count(p.who)) OVER (ORDER BY r.place) AS users_so_far
    FROM ranked AS r
    LEFT JOIN placed AS p ON p.place = r.place
    GROUP BY r.place, r.users
),
folded AS (
    SELECT
        CASE
            WHEN count(*) FILTER (users < smallest_group()) = 0 THEN 0
            ELSE coalesce(
                min(place) FILTER (
                    place >= (SELECT count(*) FROM ranked WHERE users < smallest_group())
                    AND users_so_far >= smallest_group()
                ),
                max(place)
            )
        END AS last_place
    FROM together
),
grouped AS (
    SELECT
        r.place <= f.last_place AS is_folded,
        CASE WHEN r.place <= f.last_place THEN '(smaller groups)' ELSE o.segment END AS segment,
        count(DISTINCT o.segment) AS groups,
        count(DISTINCT o.who) AS users,
        count(*) FILTER (o.failed) AS failures,
        hajek_rate(o.failed, o.probability) AS share
    FROM observed AS o
    JOIN ranked AS r ON r.segment = o.segment
    CROSS JOIN folded AS f
    GROUP BY ALL
)
SELECT
    coalesce(getvariable('attribute'), 'app.segment') AS attribute,
    CASE
        WHEN segment = '(not stated)' AND NOT EXISTS (FROM observed WHERE segment <> '(not stated)')
            THEN concat(
                '(stated by no conversation; what they state: ',
                coalesce((SELECT string_agg(name, ', ' ORDER BY name) FROM stated), 'nothing'), ')'
            )
        ELSE segment
    END AS segment,
    groups, users, failures,
    share.value AS share, share.low AS low, share.high AS high, share.n AS n,
    share.estimator AS estimator
FROM grouped
WHERE users >= smallest_group()
ORDER BY is_folded, share DESC, grouped.segment;
