-- Estimates over sampled traces, each a STRUCT(value, low, high, n, estimator). They agree with
-- `pipeline.estimation.rate` to the last decimal that is kept; a test compares the two.
-- Columns that are NULL in either argument are left out, as if the trace had not been looked at.

-- Wilson's 95 % score interval of a share `p` of `n` observations; an infinite `n` has no width.
CREATE MACRO wilson_interval(p, n) AS CASE
    WHEN p IS NULL THEN NULL
    WHEN isinf(n) THEN {'low': p, 'high': p}
    ELSE {
        'low': greatest(0.0, (p + 3.8414588206941245 / (2 * n) - 1.959963984540054
            * sqrt(greatest(p * (1 - p), 0.0) / n + 3.8414588206941245 / (4 * n * n)))
            / (1 + 3.8414588206941245 / n)),
        'high': least(1.0, (p + 3.8414588206941245 / (2 * n) + 1.959963984540054
            * sqrt(greatest(p * (1 - p), 0.0) / n + 3.8414588206941245 / (4 * n * n)))
            / (1 + 3.8414588206941245 / n))
    }
END;

-- What an estimate is made of: n, the summed weights, those of failures, and the same two sums
-- weighted by the variance of the draw, (1 - pi) / pi².
CREATE MACRO design_sums(failed, probability) AS {
    'n': count(*) FILTER (failed IS NOT NULL AND probability IS NOT NULL),
    'seen': count(*) FILTER (failed AND probability IS NOT NULL),
    'total': fsum(CASE WHEN failed IS NOT NULL THEN 1 / probability END),
    'failing': fsum(CASE WHEN failed THEN 1 / probability WHEN NOT failed THEN 0.0 * probability END),
    'spread': fsum(CASE WHEN failed IS NOT NULL
        THEN (1 - probability) / (probability * probability) END),
    'spread_failing': fsum(CASE WHEN failed THEN (1 - probability) / (probability * probability)
        WHEN NOT failed THEN 0.0 * probability END)
};

-- The effective n: the smaller of what the draw's variance and what the weights alone allow.
CREATE MACRO effective_n(p, total, spread, residual) AS least(
    CASE WHEN spread > 0 THEN total * total / spread ELSE 'infinity'::DOUBLE END,
    CASE WHEN residual > 0 AND p > 0 AND p < 1 THEN p * (1 - p) * total * total / residual
        WHEN spread > 0 THEN total * total / spread ELSE 'infinity'::DOUBLE END
);

-- Six decimals are kept, bounds rounded outwards: a census must not miss the rate it knows.
CREATE MACRO as_estimate(value, low, high, n, estimator) AS {
    'value': round(value, 6),
    'low': CASE WHEN low IS NOT NULL THEN floor(least(low, value) * 1e6) / 1e6 END,
    'high': CASE WHEN high IS NOT NULL THEN ceil(greatest(high, value) * 1e6) / 1e6 END,
    'n': n,
    'estimator': estimator
};

CREATE MACRO rate_of_sums(s) AS list_transform(
    [{'p': s.failing / s.total, 's': s}],
    lambda x: list_transform(
        [wilson_interval(x.p, effective_n(x.p, x.s.total, x.s.spread,
            x.s.spread_failing * (1 - 2 * x.p) + x.p * x.p * x.s.spread))],
        lambda i: {'p': x.p, 'low': i.low, 'high': i.high, 'n': x.s.n, 'total': x.s.total,
            'failing': x.s.failing, 'seen': x.s.seen}
    )[1]
)[1];

-- hajek_rate(failed, probability), an aggregate: the share of failures in all traffic.
CREATE MACRO hajek_rate(failed, probability) AS list_transform(
    [rate_of_sums(design_sums(failed, probability))],
    lambda r: as_estimate(r.p, r.low, r.high, r.n,
        'Hajek, weights 1/inclusion_probability, Wilson at the effective n')
)[1];

-- weighted_count(failed, probability), an aggregate: the number of failures in all traffic, at
-- least those that were seen.
CREATE MACRO weighted_count(failed, probability) AS list_transform(
    [rate_of_sums(design_sums(failed, probability))],
    lambda r: as_estimate(r.failing, CASE WHEN r.p IS NOT NULL THEN greatest(r.low * r.total, r.seen) END, r.high * r.total, r.n,
        'Hajek rate x summed weights 1/inclusion_probability')
)[1];

-- weighted_total(amount, probability), an aggregate: the sum of a quantity over all traffic.
CREATE MACRO weighted_total(amount, probability) AS list_transform(
    [{
        'n': count(*) FILTER (amount IS NOT NULL AND probability IS NOT NULL),
        'w': fsum(CASE WHEN amount IS NOT NULL THEN 1 / probability END),
        'wx': fsum(amount / probability),
        's': fsum(CASE WHEN amount IS NOT NULL
            THEN (1 - probability) / (probability * probability) END),
        'sx': fsum(amount * (1 - probability) / (probability * probability)),
        'sxx': fsum(amount * amount * (1 - probability) / (probability * probability))
    }],
    lambda t: list_transform(
        [CASE WHEN t.n > 1 THEN sqrt(t.n / (t.n - 1) * greatest(0.0,
                t.sxx - 2 * (t.wx / t.w) * t.sx + (t.wx / t.w) * (t.wx / t.w) * t.s))
            WHEN t.s = 0 THEN 0.0 END],
        lambda deviation: as_estimate(
            t.wx,
            CASE WHEN deviation >= 0 THEN greatest(0.0, t.wx - 1.959963984540054 * deviation) END,
            t.wx + 1.959963984540054 * deviation, t.n,
            'Horvitz-Thompson total, weights 1/inclusion_probability, linearised, normal')
    )[1]
)[1];
