"""From all verdicts to the run's own: its exit code and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from reports.model import PROVING, Verdict
from reports.run import Run


@dataclass(frozen=True)
class Outcome:
    """`reasons` is empty exactly when the exit code is 0."""

    exit_code: int
    reasons: tuple[str, ...]
    unmatched: tuple[str, ...]
    newly_passing: tuple[str, ...]


def judge(run: Run) -> Outcome:
    """A MUST that fails, an error, a stale expectation or an empty run end in 1; a SHOULD alone doesn't."""
    must = sum(record.verdict is Verdict.FAIL and record.level == "MUST" for record in run.records)
    errors = sum(record.verdict is Verdict.ERROR for record in run.records)
    unmatched, newly_passing = stale_expectations(run)
    reasons = []
    if errors:
        reasons.append(f"{counted(errors, 'check')} ended in ERROR")
    if must:
        reasons.append(f"{counted(must, 'check')} of a MUST failed")
    if newly_passing:
        reasons.append(
            f"{counted(len(newly_passing), 'expected failure')} newly passes: " + ", ".join(newly_passing)
        )
    if unmatched:
        reasons.append(f"{counted(len(unmatched), 'expectation')} matched no check: " + ", ".join(unmatched))
    if not any(record.verdict in PROVING for record in run.records):
        reasons.append("empty run: no check compared anything")
    if (judged := len({record.check for record in run.records})) != run.checks:
        reasons.append(f"{judged} of {counted(run.checks, 'check')} have a verdict")
    if twice := len(run.records) - judged:
        reasons.append(f"{counted(twice, 'verdict')} too many: a check was run more than once")
    if run.other_failures:
        reasons.append(f"{counted(run.other_failures, 'other test')} failed")
    return Outcome(1 if reasons else 0, tuple(reasons), unmatched, newly_passing)


def stale_expectations(run: Run) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(unmatched, newly passing), each as "CACHE-007 streamer moto".

    Several checks may share a requirement: an expectation holds as long as one of them still fails. Pairs
    that weren't asked for, or whose version or store is another, say nothing about an expectation.
    """
    verdicts: defaultdict[tuple[str, str, str], set[Verdict]] = defaultdict(set)
    for record in run.records:
        verdicts[record.requirement, record.subject, record.store].add(record.verdict)
    unmatched: list[str] = []
    newly_passing: list[str] = []
    for expectation in run.expectations:
        subject = expectation.subject
        if expectation.requirement in run.left_to_long:
            continue
        if subject not in run.subjects or not expectation.covers_version(run.version_of(subject)):
            continue
        for store in expectation.stores:
            seen = verdicts[expectation.requirement, subject, store]
            name = f"{expectation.requirement} {subject} {store}"
            if Verdict.KNOWN_FAIL in seen:
                continue
            if Verdict.PASS in seen:
                newly_passing.append(name)
            elif run.full and (store in run.stores or store == "none") and Verdict.NOT_RUN not in seen:
                unmatched.append(name)
    return tuple(sorted(set(unmatched))), tuple(sorted(set(newly_passing)))


def counted(number: int, noun: str) -> str:
    """ "1 check", "2 checks"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
