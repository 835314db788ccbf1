"""What DuckDB and Polars need for the same: OTLP JSON lines to one row a trace, in Parquet.

Both read the lines with their own JSON reader and a typed schema, keep the fuller of two copies of
a span, look for missing parents and children before them, take every turn of every model call
once, list tool calls with their outcome and documents, join traces of one session, and write
Parquet sorted by trace. What they leave out: records are not checked one by one (one bad byte ends
or silently empties the file), no other convention is known, nothing is kept of what was odd.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

__all__ = ["with_duckdb", "with_polars"]

_VALUE = "STRUCT(stringValue VARCHAR, intValue VARCHAR, doubleValue DOUBLE, boolValue BOOLEAN)"
_ATTRIBUTES = f"STRUCT(key VARCHAR, value {_VALUE})[]"
_SPAN = (
    "STRUCT(traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, name VARCHAR, "
    f"startTimeUnixNano VARCHAR, endTimeUnixNano VARCHAR, attributes {_ATTRIBUTES}, "
    "status STRUCT(code INTEGER))"
)
_RESOURCE_SPANS = (
    f"STRUCT(resource STRUCT(attributes {_ATTRIBUTES}), scopeSpans STRUCT(spans {_SPAN}[])[])[]"
)
_PARTS = '[{"role": "VARCHAR", "parts": [{"type": "VARCHAR", "content": "VARCHAR", \
"id": "VARCHAR", "name": "VARCHAR", "arguments": "JSON", "response": "JSON"}]}]'
_DOCS = '[{"id": "VARCHAR", "content": "VARCHAR", "score": "DOUBLE"}]'


def with_duckdb(source: Path, target: Path, memory: str = "4GB") -> None:
    """One SQL statement; the messages are those of the last model call."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = 2; SET memory_limit = '{memory}'")
    connection.execute(f"""
    COPY (
      WITH requests AS (
        SELECT unnest(resourceSpans) AS r
        FROM read_json('{source}', format = 'newline_delimited', maximum_object_size = 67108864,
                       columns = {{resourceSpans: '{_RESOURCE_SPANS}'}})
      ), scopes AS (
        SELECT map_from_entries(list_transform(r.resource.attributes,
                 lambda a: (a.key, a.value.stringValue))) AS resource,
               unnest(r.scopeSpans) AS s
        FROM requests
      ), flat AS (SELECT resource, unnest(s.spans) AS s FROM scopes), spans AS (
        SELECT s.traceId AS trace_id, s.spanId AS span_id, s.parentSpanId AS parent_id,
               make_timestamp(s.startTimeUnixNano::BIGINT // 1000) AS started,
               make_timestamp(s.endTimeUnixNano::BIGINT // 1000) AS ended, s.status.code AS status,
               resource,
               map_from_entries(list_transform(s.attributes, lambda a: (a.key, coalesce(
                 a.value.stringValue, a.value.intValue, a.value.doubleValue::VARCHAR)))) AS a
        FROM flat
      ), one AS (
        SELECT * FROM spans
        QUALIFY row_number() OVER (PARTITION BY trace_id, span_id
                                   ORDER BY len(map_keys(a)) DESC, ended DESC) = 1
      ), flags AS (
        SELECT child.trace_id, bool_or(parent.span_id IS NULL AND child.parent_id IS NOT NULL)
                 AS orphans, bool_or(child.started < parent.started) AS skew,
               count(*) FILTER (child.parent_id IS NULL) AS roots
        FROM one child LEFT JOIN one parent
          ON child.trace_id = parent.trace_id AND child.parent_id = parent.span_id
        GROUP BY ALL
      ), turns AS (
        SELECT trace_id, started, unnest(list_concat(
                 from_json(a['gen_ai.input.messages'], '{_PARTS}'),
                 from_json(a['gen_ai.output.messages'], '{_PARTS}'))) AS m
        FROM one WHERE a['gen_ai.operation.name'] = 'chat'
      ), heard AS (
        SELECT trace_id, m, min(started) AS first FROM turns GROUP BY ALL
      ), told AS (
        SELECT trace_id, list({{role: m.role,
                 content: list_aggregate(list_transform(list_filter(m.parts,
                   lambda p: p.type = 'text'), lambda p: p.content), 'string_agg', ' '),
                 tool_calls: list_transform(list_filter(m.parts,
                   lambda p: p.type = 'tool_call'), lambda p: {{id: p.id, name: p.name,
                     arguments: p.arguments}}),
                 tool_call_id: m.parts[1].id, response: m.parts[1].response}}
                 ORDER BY first) AS messages
        FROM heard GROUP BY trace_id
      ), traces AS (
        SELECT trace_id, min(started) AS started_at, max(ended) AS ended_at,
               any_value(resource['service.name']) AS service,
               any_value(resource['service.version']) AS release,
               any_value(resource['deployment.environment.name']) AS environment,
               any_value(a['gen_ai.conversation.id']) AS session_id,
               any_value(a['user.id']) AS user_id,
               any_value(a['gen_ai.agent.name']) AS agent_name,
               list_distinct(list(a['gen_ai.response.model'])) AS models,
               sum(a['gen_ai.usage.input_tokens']::BIGINT) AS input_tokens,
               sum(a['gen_ai.usage.output_tokens']::BIGINT) AS output_tokens,
               list({{span_id: span_id, call_id: a['gen_ai.tool.call.id'],
                      name: a['gen_ai.tool.name'], arguments: a['gen_ai.tool.call.arguments'],
                      result: a['gen_ai.tool.call.result'],
                      failed: json_extract_string(a['gen_ai.tool.call.result'], '$.error'),
                      started_at: started,
                      duration_ms: epoch_ms(ended) - epoch_ms(started)}} ORDER BY started)
                 FILTER (a['gen_ai.operation.name'] = 'execute_tool') AS tool_calls,
               list({{span_id: span_id, query: a['gen_ai.retrieval.query.text'],
                      documents: from_json(a['gen_ai.retrieval.documents'], '{_DOCS}')}})
                 FILTER (a['gen_ai.operation.name'] = 'retrieval') AS retrievals,
               count(*) AS span_count, max(status) AS status
        FROM one GROUP BY trace_id
      )
      , chained AS (
        SELECT *, started_at - max(ended_at) OVER (PARTITION BY service, session_id ORDER BY
                 started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS pause
        FROM traces
      )
      SELECT * EXCLUDE (user_id, pause), sha256(user_id) AS user_key,
             pause IS NULL OR pause > INTERVAL 30 MINUTE AS begins
      FROM chained LEFT JOIN told USING (trace_id) LEFT JOIN flags USING (trace_id)
      ORDER BY trace_id
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
    """)


def with_polars(source: Path, target: Path) -> None:
    """The same with a lazy frame."""
    value = pl.Struct({"stringValue": pl.String, "intValue": pl.String, "doubleValue": pl.Float64})
    attributes = pl.List(pl.Struct({"key": pl.String, "value": value}))
    span = pl.Struct({
        "traceId": pl.String, "spanId": pl.String, "parentSpanId": pl.String, "name": pl.String,
        "startTimeUnixNano": pl.String, "endTimeUnixNano": pl.String, "attributes": attributes,
        "status": pl.Struct({"code": pl.Int64}),
    })  # fmt: skip
    resource = pl.Struct({"attributes": attributes})
    scopes = pl.List(pl.Struct({"spans": pl.List(span)}))
    schema = {"resourceSpans": pl.List(pl.Struct({"resource": resource, "scopeSpans": scopes}))}
    flat = (
        pl.scan_ndjson(source, schema=schema)
        .explode("resourceSpans").unnest("resourceSpans")
        .with_columns(_of("resource", "service.name"), _of("resource", "service.version"))
        .drop("resource")
        .explode("scopeSpans").unnest("scopeSpans")
        .explode("spans").unnest("spans")
    )  # fmt: skip
    names = (
        "gen_ai.operation.name", "gen_ai.conversation.id", "user.id", "gen_ai.agent.name",
        "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
        "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.name",
        "gen_ai.tool.call.id", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
        "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents",
    )  # fmt: skip
    # Pivoting the attributes is faster than looking each of them up in every list.
    spans = (
        flat.with_columns(
            pl.col("startTimeUnixNano").cast(pl.Int64).alias("started"),
            pl.col("endTimeUnixNano").cast(pl.Int64).alias("ended"),
        )
        .explode("attributes")
        .with_columns(pl.col("attributes").struct.field("key"),
                      pl.coalesce(pl.col("attributes").struct.field("value").struct.field(f)
                                  for f in ("stringValue", "intValue")).alias("value"))
        .group_by("traceId", "spanId")  # of copies, the union of what they say
        .agg(
            pl.col("parentSpanId", "started", "ended", "service.name", "service.version").first(),
            *(pl.col("value").filter(pl.col("key") == n).first().alias(n) for n in names),
        )
    )  # fmt: skip
    part = pl.Struct({
        "type": pl.String, "content": pl.String, "id": pl.String, "name": pl.String,
        "arguments": pl.Struct({"reference": pl.String, "reason": pl.String}),
        "response": pl.Struct({"reference": pl.String, "note": pl.String, "total": pl.Float64}),
    })  # fmt: skip
    message = pl.List(pl.Struct({"role": pl.String, "parts": pl.List(part)}))
    documents = pl.List(pl.Struct({"id": pl.String, "content": pl.String, "score": pl.Float64}))
    llm = pl.col("gen_ai.operation.name") == "chat"
    tool = pl.col("gen_ai.operation.name") == "execute_tool"
    found = pl.col("gen_ai.operation.name") == "retrieval"
    calls = ("spanId", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments",
             "gen_ai.tool.call.result", "started", "ended")  # fmt: skip
    traces = spans.group_by("traceId").agg(
        pl.col("started").min().alias("started_at"),
        pl.col("ended").max().alias("ended_at"),
        *(pl.col(n).drop_nulls().first() for n in
          ("service.name", "service.version", "gen_ai.conversation.id", "user.id",
           "gen_ai.agent.name")),
        pl.col("gen_ai.response.model").drop_nulls().unique().alias("models"),
        *(pl.col(f"gen_ai.usage.{n}_tokens").cast(pl.Int64).sum() for n in ("input", "output")),
        pl.struct(calls).filter(tool).sort_by(pl.col("started").filter(tool)).alias("tool_calls"),
        pl.struct("spanId", "gen_ai.retrieval.query.text",
                  "gen_ai.retrieval.documents").filter(found).alias("retrievals"),
        pl.len().alias("span_count"),
    )  # fmt: skip
    parents = spans.select("traceId", pl.col("spanId").alias("parentSpanId"),
                           pl.col("started").alias("above"))  # fmt: skip
    flags = (
        spans.join(parents, on=["traceId", "parentSpanId"], how="left")
        .group_by("traceId")
        .agg((pl.col("above").is_null() & pl.col("parentSpanId").is_not_null()).any()
             .alias("orphans"), (pl.col("started") < pl.col("above")).any().alias("skew"),
             pl.col("parentSpanId").is_null().sum().alias("roots"))
    )  # fmt: skip
    told = (
        spans.filter(llm)
        .select("traceId", "started", pl.concat_list(
            pl.col("gen_ai.input.messages").str.json_decode(message),
            pl.col("gen_ai.output.messages").str.json_decode(message)).alias("message"))
        .sort("started")
        .explode("message")
        # Comparing hashes is faster than comparing structs.
        .with_columns(pl.col("message").hash().alias("turn"))
        .unique(["traceId", "turn"], keep="first", maintain_order=True)
        .group_by("traceId", maintain_order=True)
        .agg(pl.col("message").alias("messages"))
    )  # fmt: skip
    documents_of = pl.col("retrievals").list.first().struct.field("gen_ai.retrieval.documents")
    pause = pl.col("started_at") - pl.col("ended_at").cum_max().shift(1).over(
        "service.name", "gen_ai.conversation.id"
    )
    (
        traces.with_columns(
            documents_of.str.json_decode(documents).alias("documents"),
            pl.col("user.id").hash().alias("user_key"),
        )
        .sort("started_at")
        .with_columns((pause.is_null() | (pause > 1800 * 10**9)).alias("begins"))
        .join(flags, on="traceId", how="left")
        .join(told, on="traceId", how="left")
        .sort("traceId")
        .collect(engine="streaming")
        .write_parquet(target, compression="zstd")
    )


def _of(column: str, name: str) -> pl.Expr:
    """An attribute of a list of key and value."""
    entry = pl.element().filter(pl.element().struct.field("key") == name)
    value = pl.col(column).struct.field("attributes").list.eval(entry).list.first()
    return value.struct.field("value").struct.field("stringValue").alias(name)
