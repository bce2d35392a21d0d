"""The pytest plugin: runs the conformance suite by its catalogue and records a verdict per check.

It does nothing in a session that doesn't touch `suites/conformance`, apart from its options and fixtures.
Under pytest-xdist each worker judges its checks, and the controller, which collects too, keeps the report.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

from reports import collection, distribution, ending, hypothesis_seed, interruption, summary
from reports.attempt import ATTEMPT
from reports.catalogue import CatalogueError, read_catalogue
from reports.expectations import read_expectations
from reports.marks import Check
from reports.model import Verdict
from reports.run import DEFAULT_SEED, DEFAULT_STORES, DEFAULT_SUBJECTS, Run, covers, split_names, touches
from reports.writer import ReportWriter

NO_EXPECTATIONS = "none"
RUN = pytest.StashKey[Run]()
SIGNALS = pytest.StashKey[interruption.Signals]()
LETTERS = {
    Verdict.PASS: ".",
    Verdict.FAIL: "F",
    Verdict.ERROR: "E",
    Verdict.UNSUPPORTED: "u",
    Verdict.NOT_RUN: "n",
    Verdict.KNOWN_FAIL: "k",
}


def set_subject_version(config: pytest.Config, name: str, versions: Mapping[str, str]) -> None:
    """What a subject consists of; the version under its own name, or else the first, counts as its own."""
    config.stash[RUN].subject_versions[name] = dict(versions)


def set_store_version(config: pytest.Config, name: str, version: str) -> None:
    """What a store says that it is."""
    config.stash[RUN].store_versions[name] = version


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's options; the last two exist for the suite's own tests."""
    group = parser.getgroup("loadproof")
    group.addoption("--subjects", default=DEFAULT_SUBJECTS, help="loaders under test (default: %(default)s)")
    group.addoption("--stores", default=DEFAULT_STORES, help="where the models lie (default: %(default)s)")
    group.addoption(
        "--seed", type=int, default=DEFAULT_SEED, help="of all random data (default: %(default)s)"
    )
    group.addoption(
        "--long", action="store_true", help="the long tier, too: more cases, and checks marked long"
    )
    group.addoption("--report", default="reports/out/conformance.jsonl", help="report (default: %(default)s)")
    group.addoption("--catalogue", default="suites/requirements", help="folder with the requirements")
    group.addoption("--expectations", default="suites/expectations", help="folder with the known failures")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the options; nothing is written yet."""
    for marker in (
        "requirement(id): the requirement that a conformance test checks",
        "quick: one of the checks that give a first verdict within 30 s",
        "long: a check that only --long runs",
    ):
        config.addinivalue_line("markers", marker)
    folder, root = config.invocation_params.dir, config.rootpath
    conformance = (root / "suites" / "conformance").resolve()
    narrowing = ("ignore", "ignore_glob", "deselect")
    config.stash[RUN] = Run(
        root=root,
        conformance=conformance,
        subjects=split_names("--subjects", config.getoption("--subjects")),
        stores=split_names("--stores", config.getoption("--stores")),
        seed=config.getoption("--seed"),
        long=config.getoption("--long"),
        writer=ReportWriter(root / config.getoption("--report")),
        active=conformance.is_dir() and touches(config.args, folder, conformance),
        covers_all=covers(config.args, folder, conformance)
        and not any(config.getoption(option, None) for option in narrowing),
    )
    config.stash[SIGNALS] = interruption.Signals()
    config.pluginmanager.register(interruption.Interruptions(config.stash[RUN], config.stash[SIGNALS]))
    if not distribution.is_worker(config):
        config.pluginmanager.register(distribution.Keeper(config.stash[RUN]))
    hypothesis_seed.force(config.getoption("--seed"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Says the last line and leaves the process as it was found, also after an interruption."""
    hypothesis_seed.release()
    if RUN not in config.stash:
        return
    config.stash[SIGNALS].release()
    run = config.stash[RUN]
    run.writer.close()
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        summary.end(run, terminal, config.stash[SIGNALS].received)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Reads the catalogue before anything is collected, and drops an earlier run's report."""
    run = session.config.stash[RUN]
    if not run.active:
        return
    session.config.stash[SIGNALS].watch()
    root: Path = run.root
    is_worker = distribution.is_worker(session.config)
    try:
        run.catalogue = read_catalogue(root / session.config.getoption("--catalogue"))
        known = session.config.getoption("--expectations")
        if known != NO_EXPECTATIONS and not (root / known).is_dir():
            raise CatalogueError(f"--expectations: no folder {known}; {NO_EXPECTATIONS!r} means none at all")
        run.expectations = read_expectations(root / known, run.catalogue)
        if not session.config.option.collectonly and not is_worker:
            run.writer.discard_old()
    except CatalogueError as error:
        raise pytest.UsageError(str(error)) from error
    except OSError as error:
        raise pytest.UsageError(f"--report can't be written: {error}") from error


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """First, so that subject and store lead the id: `test_x[reference-moto]`."""
    run = metafunc.config.stash[RUN]
    if collection.in_conformance(Path(str(metafunc.definition.path)), run):
        collection.spread(metafunc, run)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Before -k and -m take tests out, since every requirement must have a test whatever is run now."""
    run = config.stash[RUN]
    if (
        not run.active or session.testsfailed
    ):  # a file that can't be imported hides its tests: show that first
        return
    dropped = collection.pair_up(items, run)
    if dropped:
        config.hook.pytest_deselected(items=dropped)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Any -k, -m or --lf that took a check out makes the run a narrowed one.

    Checks that --stores left no store for have no attempt: without them the run is still full.
    """
    for item in items:
        item.config.stash[RUN].deselected |= ATTEMPT in item.stash


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means: a process per core, each with stores of its own; one check alone needs none."""
    workers = min(os.cpu_count() or 1, distribution.MOST_WORKERS)
    single = len(config.args) == 1 and "::" in config.args[0]
    if workers < 2 or single:
        return 0
    if config.option.dist == "no":  # the user has no wish
        config.option.dist = "worksteal"  # a slow check at the end leaves no core idle
    return workers


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """The controller collects as well: it refuses an unsound suite, and knows how many checks there are."""
    if session.config.stash[RUN].active and distribution.is_controller(session.config):
        session.perform_collect()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Writes the header, once the suite is known to be sound and about to run."""
    run = session.config.stash[RUN]
    broken = session.testsfailed and not session.config.option.continue_on_collection_errors
    if not run.active or session.config.option.collectonly or distribution.is_worker(session.config):
        return
    if broken:
        if distribution.is_controller(session.config):  # else pytest's own loop says so
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        return
    run.other_failures += session.testsfailed
    run.attempts = {item.nodeid: item.stash[ATTEMPT] for item in session.items if ATTEMPT in item.stash}
    run.checks = len(run.attempts)
    run.checked = frozenset(attempt.requirement.id for attempt in run.attempts.values())
    run.writing = True
    run.writer.write(run.header(session.config))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Outermost, so that the verdict has the last word over skips and xfail marks."""
    report = yield
    run = item.config.stash[RUN]
    attempt = item.stash.get(ATTEMPT, None)
    if attempt is not None:
        attempt.observe(call, report, run)
        distribution.redact(report, run)
        if call.when == "teardown":
            distribution.pack(report, attempt.record(item.nodeid, run), run)
    if distribution.is_worker(item.config):
        distribution.make_portable(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Categories of our own: pytest then leaves the failures to our summary."""
    verdict = getattr(report, "verdict", None)
    if verdict is None:
        return None
    category = "passed" if verdict == Verdict.PASS else verdict
    return category, LETTERS[Verdict(verdict)], verdict


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Judges the run and closes the report, before anything is taken down that might hang."""
    run = session.config.stash[RUN]
    ending.end(run, session, exitstatus)
    run.writer.close()
    try:
        yield
    except Exception as error:
        # what was half set up can stumble when it is taken down, pytest's own tmp_path for one
        if not session.config.stash[SIGNALS].received:
            raise
        run.stumbles.append(f"{type(error).__name__} while the interrupted check was taken down: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The findings, readable without the source."""
    summary.show(config.stash[RUN], terminalreporter)


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Of all random data in this run."""
    value: int = pytestconfig.getoption("--seed")
    return value


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`examples(main, long)`: how many cases a property draws in this run's tier."""
    attempt = request.node.stash.get(ATTEMPT, None)
    is_long: bool = attempt.long if attempt else request.config.getoption("--long")
    return lambda main, long: long if is_long else main


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Check:
    """Compares, counts, and tells the report."""
    attempt = request.node.stash.get(ATTEMPT, None)
    return Check() if attempt is None else attempt.check
