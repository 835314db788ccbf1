"""What Caselaw knows and does: a plain library, useful without Dagster."""
