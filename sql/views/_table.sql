-- One table of the lake: its declared columns, typed even while no file exists.
CREATE VIEW {{ view | identifier }} AS
SELECT {{ columns | map("identifier") | join(", ") }}
FROM (
    SELECT
{% for name, type in columns.items() %}
        NULL::{{ type }} AS {{ name | identifier }}{{ "" if loop.last else "," }}
{% endfor %}
    WHERE false
{% if files %}
    UNION ALL BY NAME
    SELECT *
    FROM read_parquet(
        {{ files | literal }}, union_by_name = true,
{% if unit %}
        hive_partitioning = true, hive_types = { {{- unit | literal }}: DATE}
{% else %}
        hive_partitioning = false
{% endif %}
    )
{% endif %}
);
COMMENT ON VIEW {{ view | identifier }} IS {{ meaning | literal }};
{% for name, meaning in meanings.items() %}
COMMENT ON COLUMN {{ view | identifier }}.{{ name | identifier }} IS {{ meaning | literal }};
{% endfor %}
