-- The partitions that are published, by table: an empty day has a partition but no row elsewhere.
CREATE VIEW {{ view }} AS
{% for table in tables %}
SELECT
    {{ table.name | literal }} AS table_name,
    {{ table.unit | literal }} AS unit,
    regexp_extract(file, '/(?:day|week)=([0-9-]+)/[^/]*$', 1)::DATE AS first_day
FROM glob({{ table.pattern | literal }})
{{ "" if loop.last else "UNION ALL" }}
{% endfor %}
;
