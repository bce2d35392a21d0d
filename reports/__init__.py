"""What a run has found: the catalogue it is judged by, the recorder, and the report it leaves."""
