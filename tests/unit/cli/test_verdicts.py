"""The first line of what status, doctor and verify say: what is, and the exact command that comes next."""

from __future__ import annotations

import datetime

from msgspec.structs import replace

from tranship.api import Diagnosis, RunState, TableState
from tranship.cli.verdicts import doctor_verdict, status_verdict, verify_verdict
from tranship.errors.codes.stale_references import ReferenceUndeclared
from tranship.model.difference import Difference, DifferenceKind, Proof, SecondOpinion
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions
from tranship.model.reported_run import FoundCertificate, ReportedRun, ReportedTable
from tranship.model.undo import Unreadable
from tranship.model.verdict import MigrationResult, Stats, TableResult
from tranship.model.verification import AskedConstraint, ConstraintKind, Verification, VerifiedTable
from tranship.report.describe.run import describe_run, run_verdict
from tranship.report.document import Section
from tranship.report.verdict import REFERENCES, UNASKED, verdict
from tranship.report.verification import last_line
from tranship.server.journal import DecidedBy, Run, RunStatus, Undo

WORDS = ("my config.json",)
THING = Undo("r1", 1, "trigger t of public.a", "", Unreadable("trigger", ""))


def run(state: RunStatus, again: str = "") -> Run:
    now = datetime.datetime.now(datetime.UTC)
    start = ("r1", 2, "o", "n", "p", 1, "h", 1, state, "s", False, {}, "0.2", now, None, 0.0, ())
    return Run(*start, decided_by=DecidedBy("ann", "owner", again=again))


def state(of: Run, *, running: bool = False, read: int = 4, off: tuple[Undo, ...] = ()) -> RunState:
    name = TableName("public", "a")
    table = TableState(name, name, 10, read, read, 0, 2, 1, done=read == 10)
    return RunState(of, running, (table,), 0, 1.0, off)


def test_a_run_at_work() -> None:
    said = status_verdict([state(run(RunStatus.RUNNING), running=True)], WORDS)
    assert said == "A run is at work: 40 % of 10 rows. Watch it: tranship status 'my config.json' --watch"


def test_an_interrupted_run_names_the_command_that_resumes_it() -> None:
    again = "tranship migrate 'my config.json' --resolutions d.json --live"
    said = status_verdict([state(run(RunStatus.RUNNING, again))], WORDS)
    assert said.startswith(f"Run r1 was interrupted after 4 of 10 rows. Resume it: {again}; ")
    assert said.endswith("tranship rollback 'my config.json' --run r1 --live")
    assert "the same migrate --live command" in status_verdict([state(run(RunStatus.STOPPED))], WORDS)


def test_finished_runs() -> None:
    done = state(run(RunStatus.FINISHED), read=10)
    assert "10 rows written, 0 rejected" in status_verdict([done], WORDS)
    assert status_verdict([done, done], WORDS).startswith("Both runs are finished: 20 rows")
    (table,) = done.tables
    first, again = (replace(done, tables=(replace(table, rejected=n),)) for n in (12, 5))
    assert "20 rows written, 5 rejected" in status_verdict([first, again], WORDS), "the last one tells"
    left = status_verdict([state(run(RunStatus.FINISHED), read=10, off=(THING,))], WORDS)
    assert left.endswith("Next: tranship doctor 'my config.json' --restore")


def test_the_rate_is_that_of_one_stream() -> None:
    """Batches of parallel streams overlap, so the seconds that they took together are no time that passed."""
    from tranship.cli.commands.status import _lines

    at_work = replace(state(run(RunStatus.RUNNING), running=True), seconds=2.0)
    assert "  4 of 10 rows, 6 left; while it copied, each stream moved 2 rows/s" in list(
        _lines(at_work, WORDS)
    )


def doctor(found: list[Diagnosis], accepted: int = 0, *, restored: bool = False) -> str:
    return doctor_verdict(found, accepted, restored=restored, new="h:1/d", words=WORDS)


def test_what_is_switched_off() -> None:
    off = Diagnosis(THING, None, running=False)
    assert doctor([]) == (
        "Nothing is switched off in h:1/d. Where the runs stand: tranship status 'my config.json'"
    )
    assert doctor([off]) == (
        "1 thing of h:1/d is switched off. Next: tranship doctor 'my config.json' --restore"
    )
    assert doctor([off, Diagnosis(THING, None, running=False, restored=True)], restored=True).startswith(
        "1 thing of h:1/d is still switched off"
    )
    assert "a run that is at work" in doctor([Diagnosis(THING, None, running=True)])
    assert doctor([], 2).startswith("2 things are left as they are. Nothing is switched off")


def test_a_verification_says_how_many_rows_the_last_run_of_each_flow_rejected() -> None:
    def of(run: str, rejected: int) -> VerifiedTable:
        return VerifiedTable(run, "public.t", "public.t", 5, verified=True, rejected=rejected)

    def told(*tables: VerifiedTable) -> str:
        result = Verification(
            tool_version="0",
            status="verified",
            exit_status=0,
            started="",
            finished="",
            runs=(),
            tables=tables,
        )
        return verify_verdict(result, ("c.json",))

    assert told(of("a", 0)).endswith("5 rows, verified. Nothing left to do.")
    written = replace(of("a", 0), second_opinion=SecondOpinion(old_written=True))
    lacks = "verified. OLD was written to since, and NEW does not have that: repeat the live run, which counts it."
    assert told(written).endswith(lacks) and told(of("a", 0), replace(written, run="b")).endswith(lacks)
    assert told(written, of("b", 0)).endswith(
        "verified. OLD was written to since the first run; the rows that a later run moved have that."
        " Whether more was written, the repeated live run counts."
    )
    assert told(of("a", 3)).endswith("verified. 3 rows were rejected: tranship report c.json")
    assert told(of("a", 3), of("b", 1)).endswith("verified. 1 row was rejected: tranship report c.json")


def reported(*tables: ReportedTable) -> ReportedRun:
    now = datetime.datetime.now(datetime.UTC)
    return ReportedRun(
        id="a",
        word="finished",
        old="o",
        new="n",
        tool_version="0",
        started=now,
        finished=now,
        os_user="",
        role="",
        resolutions=None,
        resolutions_sha256=None,
        snapshot="",
        plan_hash="",
        again="",
        left_out={},
        switched_off=(),
        rejects_of=(),
        tables=tables,
    )


def test_all_three_say_the_same_of_what_could_not_be_asked() -> None:
    """The end of a live run, its verification and its page."""
    table = VerifiedTable("a", "public.t", "public.t", 5, True, not_asked=("n: NEW alone will know it",))
    done = Verification(
        tool_version="0",
        status="verified",
        exit_status=0,
        started="",
        finished="",
        runs=(),
        tables=(table,),
    )
    assert verify_verdict(done, ("c.json",)).endswith(f"{UNASKED}: tranship report c.json")
    proof = Proof(5, ("id",), compared=5)
    moved = ReportedTable(
        "public.t", "public.t", 5, 5, (("written", 5),), 0, 1, 1, True, proof=proof, not_asked=table.not_asked
    )
    of = reported(moved)
    certificate = FoundCertificate("p", "2026-12-01T00:00:00+00:00", "h", 5)
    assert run_verdict(of, certificate, ()).lines[1] == f"{UNASKED}, below."
    told = [block for block in describe_run(of, certificate, ()).blocks if isinstance(block, Section)]
    assert [one.items[0].text for one in told if one.title == "Could not be asked beforehand"] == [
        *table.not_asked
    ]
    plain = replace(of, tables=(replace(moved, not_asked=()),))
    assert run_verdict(plain, certificate, ()).lines[1] == "Nothing left to do."


def test_a_sequence_that_is_behind_is_not_called_a_constraint() -> None:
    def result(*kinds: ConstraintKind) -> Verification:
        return Verification(
            tool_version="0",
            status="differs",
            exit_status=5,
            started="",
            finished="",
            runs=(),
            tables=(),
            constraints=tuple(AskedConstraint("public.t", kind, "id", 1) for kind in kinds),
        )

    behind = result(ConstraintKind.SEQUENCE)
    assert last_line(behind).startswith("DIFFERS: 1 sequence of NEW is behind the values of its column; ")
    both = result(ConstraintKind.SEQUENCE, ConstraintKind.CHECK)
    assert "1 constraint of NEW is broken, 1 sequence of NEW is behind" in last_line(both)
    table = VerifiedTable("r", "public.t", "public.t", 5, verified=True)
    said = verify_verdict(replace(behind, tables=(table,)), ("c.json",))
    assert said.startswith("In NEW, a sequence is behind the values of its column")
    assert verify_verdict(replace(both, tables=(table,)), ("c.json",)).startswith("NEW breaks constraints")
    differing = (replace(table, verified=False),)
    said = verify_verdict(replace(behind, tables=differing), ("c.json",))
    assert said.startswith("NEW does not hold what OLD's rows became, and a sequence is behind")
    assert "and rows of it differ" in verify_verdict(replace(both, tables=differing), ("c.json",))


def test_what_only_others_wrote_names_the_option_for_them() -> None:
    def told(*by_others: bool) -> str:
        kind = DifferenceKind.CHANGED
        differences = tuple(Difference("public.t", kind, {"id": "1"}, by_others=one) for one in by_others)
        table = VerifiedTable("r", "public.t", "public.t", 5, verified=False, differences=differences)
        result = Verification(
            tool_version="0",
            status="differs",
            exit_status=5,
            started="",
            finished="",
            runs=(),
            tables=(table,),
        )
        return verify_verdict(result, ("c.json",))

    assert told(True, True).endswith("if they may write to NEW by now, add --new-in-use.")
    assert told(True, False).endswith("before you have looked at what is named here.")
    assert told().endswith("before you have looked at what is named here."), "rows that nobody names"


def test_references_that_keep_old_keys_are_left_to_look_at() -> None:
    """A run's end and page: that every row arrived says nothing of the rows to which they lead."""
    name = TableName("public", "a")
    stale = ReferenceUndeclared(FlowId(name, name), "cust", name, FlowId(name, name)).problem()
    proof = Proof(5, ("id",), compared=5)
    moved = ReportedTable("a", "a", 5, 5, (("written", 5),), 0, 1, 1, True, proof=proof)
    of = replace(reported(moved), warnings=(stale,))
    certificate = FoundCertificate("p", "2026-12-01T00:00:00+00:00", "h", 5)
    assert run_verdict(of, certificate, ()).lines[1] == f"{REFERENCES}, below."
    told = [block for block in describe_run(of, certificate, ()).blocks if isinstance(block, Section)]
    (item,) = next(one.items for one in told if one.title == "Warnings")
    assert (item.text, item.label) == (f"TS308 {stale.message}", "public.a")
    unasked = replace(of, tables=(replace(moved, not_asked=("n: NEW alone will know it",)),))
    both = "Look at what TS308 says of references, and at what could not be asked beforehand, below."
    assert run_verdict(unasked, certificate, ()).lines[1] == both


def test_the_end_of_a_run_says_where_references_are_named() -> None:
    name = TableName("public", "a")
    stale = ReferenceUndeclared(FlowId(name, name), "cust", name, FlowId(name, name)).problem()
    table = TableResult("public.a", "public.a", 5, 5, 0, 0, 1, True, "", {}, ())
    stats = Stats(
        tables_processed=1,
        rows_read=5,
        rows_migrated=5,
        rows_failed=0,
        rows_left_out=0,
        duration_seconds=1.0,
    )
    done = MigrationResult(
        tool_version="1",
        run_id="r",
        mode="live",
        status="done",
        exit_status=0,
        snapshot=None,
        started="",
        finished="",
        stats=stats,
        tables=(table,),
        problems=(stale,),
    )
    live = MigrateOptions(live=True, invocation="tranship", databases=WORDS)
    assert verdict(done, live).endswith(f" {REFERENCES}: tranship report 'my config.json'")
    dry = replace(done, mode="dryrun")
    assert f" {REFERENCES}. Next: " in verdict(dry, replace(live, live=False))
    assert verdict(replace(done, problems=()), live).endswith(" Nothing left to do.")
