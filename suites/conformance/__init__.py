"""The checks, one file per area of the requirement catalogue."""
