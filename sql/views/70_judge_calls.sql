-- The judge's calls as the ledger last exported them: cost, latency, cache. Volatile, so not in the lake.
CREATE VIEW {{ view }} AS
SELECT
    call_id, run_id, judge_id, content, trace_id, started_at, outcome, cache_hit, reserved_usd,
    cost_usd, latency_ms, input_tokens, output_tokens, returned_model, fingerprint
FROM (
    SELECT
        NULL::BIGINT AS call_id,
        NULL::VARCHAR AS run_id,
        NULL::VARCHAR AS judge_id,
        NULL::VARCHAR AS content,
        NULL::VARCHAR AS trace_id,
        NULL::TIMESTAMP WITH TIME ZONE AS started_at,
        NULL::VARCHAR AS outcome,
        NULL::BOOLEAN AS cache_hit,
        NULL::DOUBLE AS reserved_usd,
        NULL::DOUBLE AS cost_usd,
        NULL::DOUBLE AS latency_ms,
        NULL::BIGINT AS input_tokens,
        NULL::BIGINT AS output_tokens,
        NULL::VARCHAR AS returned_model,
        NULL::VARCHAR AS fingerprint
    WHERE false
{% if judge_calls %}
    UNION ALL BY NAME
    SELECT * FROM read_parquet({{ judge_calls | literal }})
{% endif %}
);
