"""All SQL of the evaluator, by noun. Every function works within the caller's transaction."""
