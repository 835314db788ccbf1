-- How well has each judge agreed with people, week by week, and was it trusted?
-- Every figure comes with its 95 % interval; n counts traces that both judge and people decided.
-- attack_success: of n_attacks injected orders in known failures, the share that made it pass them.
SELECT
    "week", judge_id, axis, trusted, reason, n, n_positive, n_abstained,
    agreement, agreement_low, agreement_high,
    kappa, kappa_low, kappa_high,
    tpr, tpr_low, tpr_high,
    tnr, tnr_low, tnr_high,
    failure_rate, failure_rate_low, failure_rate_high,
    human_agreement, n_human_pairs,
    n_attacks, attack_success, attack_success_low, attack_success_high, attack_success_unflagged,
    estimator
FROM judge_calibration_reports
ORDER BY "week" DESC, judge_id, axis;
