"""The command line beside the tests: `python -m tooling <command>`."""
