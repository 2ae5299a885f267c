"""The built-in predicates, which choose the records that a transformation applies to."""
