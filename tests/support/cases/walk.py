"""Walks one case from its first step to its last and tells what differs from its expectation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from support import Pair, Servers
from support.cases.case import Asked, Case, Console, Decisions, Expected, Keys, Script, Step, Wrong
from support.cases.commands import Commands, RunFiles
from support.cases.findings import (
    Seen,
    compare_changes,
    compare_questions,
    compare_rejects,
    compare_runs,
    reason_test,
)
from support.cases.outcome import DryRun, Outcome
from support.cases.page import rewrite_answers
from support.cases.stage import ask, fingerprint, has_journal, load, running, staged, write_config
from support.fences import follow_console
from support.taking import doubts_of


def run_case(
    case: Case,
    servers: Servers,
    folder: Path,
    *,
    majors: tuple[int, int] | None = None,
    update: bool = False,
    whole: bool = True,
) -> Seen:
    """Loads the case, runs every command on it and compares.

    ``majors`` are the servers' versions (see ``staged``); ``update`` rewrites the answers
    in a file of our own. Not ``whole``: without the rehearsal, and without the commands on the
    decisions themselves.

    Raises:
        NotBuilt: no server here has a feature the case needs.
    """
    seen = Seen()
    with staged(case, servers, majors) as (pair, opening):
        walk = _Walk(case, pair, seen, Commands(folder, write_config(case, pair, folder, {})), whole)
        with running(case.holder, pair.old, pair.old.url, pair.new.url):
            for step in case.steps[opening:]:
                walk.take(step, compare_answers=not update)
    if update and seen.answers:
        rewrite_answers(case.path, seen.answers)
    return seen


@dataclass
class _Walk:
    """One case under way."""

    case: Case
    pair: Pair
    seen: Seen
    commands: Commands
    whole: bool
    keys: dict[str, object] = field(default_factory=dict)
    wrong: int = 0

    def take(self, step: Step, *, compare_answers: bool) -> None:
        """Does one step and compares what it shows."""
        match step:
            case Script():
                load(self.pair.old if step.side == "old" else self.pair.new, step.text)
            case Keys():
                self.keys |= step.document
                write_config(self.case, self.pair, self.commands.folder, self.keys)
            case Decisions():
                path = self.commands.folder / step.name
                path.write_bytes(step.text.encode("utf-8", errors="surrogateescape"))
                if step.name == "resolutions.json":
                    self.commands.resolutions = path
            case Wrong():
                self._refuse(step)
            case Expected():
                self._migrate(step.outcome)
            case Asked():
                self._ask(step, compare=compare_answers)
            case Console():
                try:
                    follow_console(step.fence, self.commands.run)
                except AssertionError as difference:
                    self.seen.findings.append(str(difference))
            case _:
                assert_never(step)

    def _ask(self, step: Asked, *, compare: bool) -> None:
        answer = ask(self.pair.old if step.side == "old" else self.pair.new, step.script)
        if step.place is not None:
            self.seen.answers[step.place] = answer
        if (compare or step.place is None) and answer != step.answer:
            lines = _difference(step.answer.splitlines(), answer.splitlines())
            self.seen.findings.append(
                f"{step.side.upper()} answers {step.script.strip()[:80]!r} otherwise:\n"
                + "\n".join(lines[:20])
            )

    def _refuse(self, step: Wrong) -> None:
        """One wrong resolutions file: refused, and NEW as it was."""
        self.wrong += 1
        path = self.commands.folder / f"wrong{self.wrong}.json"
        path.write_text(step.text, encoding="utf-8")
        before = fingerprint(self.pair.new)
        done = self.commands.migrate("--live", resolutions=path)
        self.seen.check(done.status == 3, f"{step.why}: exit {done.status}, expected 3\n{done}")
        self.seen.check(fingerprint(self.pair.new) == before, f"{step.why}: NEW was changed")

    def _migrate(self, outcome: Outcome) -> None:
        """Every command once, in the order in which a careful person gives them."""
        seen, commands = self.seen, self.commands
        commands.options = outcome.options
        old, new = fingerprint(self.pair.old), fingerprint(self.pair.new)
        journal = has_journal(self.pair.new)
        self._analyze(outcome)
        if self.whole and outcome.undecided_refused and commands.resolutions is not None:
            done = commands.migrate("--live", undecided=True)
            seen.check(done.status == 3, f"without resolutions: exit {done.status}, expected 3\n{done}")
        said = self._dry_run(outcome.dry)
        if self.whole:
            done = commands.migrate("--rehearse")
            seen.check(
                done.status == outcome.dry.status,
                f"rehearsal: exit {done.status}, expected {outcome.dry.status}\n{done}",
            )
        seen.check(fingerprint(self.pair.new) == new, "the rehearsal or a command before it changed NEW")
        seen.check(journal or not has_journal(self.pair.new), "the rehearsal left its journal in NEW")
        with running(self.case.writer, self.pair.old, self.pair.old.url, "60"):
            live = commands.migrate("--live")
        seen.outcome = {0: "success", 1: "partial", 3: "refuse"}.get(live.status, f"exit {live.status}")
        seen.check(
            live.status == outcome.status, f"live run: exit {live.status}, expected {outcome.status}\n{live}"
        )
        if outcome.outcome == "refuse":
            said += live.stdout + live.stderr
            for words in outcome.error_contains:
                seen.check(words in said, f"the refusal does not name {words}\n{live}")
            seen.check(fingerprint(self.pair.new) == new, "a refused run changed NEW")
        elif live.status == outcome.status:
            self._compare_files(outcome)
            self._verify()
            self._again(outcome)
        if self.case.writer is None:
            seen.check(fingerprint(self.pair.old) == old, "OLD was changed")

    def _analyze(self, outcome: Outcome) -> None:
        seen, commands = self.seen, self.commands
        done = commands.analyze()
        accepted = (0, 3) if outcome.outcome == "refuse" else (0,)
        if not seen.check(done.status in accepted, f"analyze: exit {done.status}\n{done}") or done.status:
            return
        if not seen.check(commands.has_analysis(), f"analyze wrote no report or no changes\n{done}"):
            return
        compare_changes(outcome, commands.changes(), seen)
        report = commands.report()
        for name in (*outcome.must_report, *outcome.new_constraints_to_show):
            missing = [word for word in name.split() if word.split(".")[-1] not in report]
            seen.check(not missing, f"the report does not name {name}")
        for name in outcome.must_not_report:
            seen.check(name not in report, f"the report names {name}")
        if outcome.questions is not None:
            done = commands.generate()
            seen.check(done.status == 0, f"resolve generate: exit {done.status}\n{done}")
            compare_questions(outcome.questions, commands.questions(), seen)
        for doubt in doubts_of(commands.changes_file, commands.folder / "suggested"):
            seen.check(False, f"resolve generate: {doubt}")
        if self.whole and commands.resolutions is not None and outcome.outcome != "refuse":
            done = commands.validate()
            seen.check(done.status == 0, f"validate: exit {done.status}\n{done}")

    def _dry_run(self, expected: DryRun) -> str:
        """Runs the dry run; returns what it printed."""
        done = self.commands.migrate()
        self.seen.check(
            done.status == expected.status, f"dry run: exit {done.status}, expected {expected.status}\n{done}"
        )
        said = done.stdout + done.stderr
        for words in expected.error_contains if expected.outcome == "refuse" else ():
            self.seen.check(words in said, f"the dry run's refusal does not name {words}\n{done}")
        return said

    def _compare_files(self, outcome: Outcome) -> None:
        dry, live = (self.commands.files(mode) for mode in ("dryrun", "live"))
        rehearsal = self.commands.files("rehearse") if self.whole else dry
        if dry is None or rehearsal is None or live is None:
            self.seen.check(False, "a result file is missing")
            return
        compare_rejects(outcome, live, self.seen, quotes=reason_test(outcome))
        if outcome.dry_run is not None:
            compare_rejects(outcome.dry_run, dry, self.seen)
        elif self.case.writer is None:
            compare_runs(dry, live, ("dry run", "live run"), self.seen)
        if self.whole:
            self._compare_rehearsal(outcome, dry, rehearsal, live)

    def _compare_rehearsal(
        self, outcome: Outcome, dry: RunFiles, rehearsal: RunFiles, live: RunFiles
    ) -> None:
        if outcome.dry_run is not None:
            compare_runs(dry, rehearsal, ("dry run", "rehearsal"), self.seen)
        elif self.case.writer is None:
            compare_runs(rehearsal, live, ("rehearsal", "live run"), self.seen)
            self.seen.check(
                rehearsal.lines() == live.lines(), "the live run gives other reasons than the rehearsal"
            )
            self.seen.check(
                rehearsal.result["sequences"] == live.result["sequences"],
                "the live run left sequences elsewhere than the rehearsal",
            )

    def _again(self, outcome: Outcome) -> None:
        """The same live run again changes nothing and ends with the same status."""
        before = fingerprint(self.pair.new)
        again = self.commands.migrate("--live")
        self.seen.check(
            again.status == outcome.status,
            f"second run: exit {again.status}, expected {outcome.status}\n{again}",
        )
        self.seen.check(fingerprint(self.pair.new) == before, "the second run changed NEW")

    def _verify(self) -> None:
        """What the run proved is equal afterwards, too, whatever the shape of its flows. A case may write to
        NEW between two runs, so that only the latest one is compared.
        """
        live = self.commands.files("live")
        unproven = live is None or any(table["verified"] is None for table in live.result["tables"])
        run = live.result["run_id"] if live is not None else ""
        done = self.commands.verify(*(["--run", run] if run else []))
        expected = 1 if unproven else 0
        self.seen.check(done.status == expected, f"verify: exit {done.status}, expected {expected}\n{done}")


def _difference(expected: list[str], answer: list[str]) -> list[str]:
    """Lines of one side alone: - expected and missing, + seen; all of both where only the order differs."""
    lines = [f"  - {line[:200]}" for line in expected if line not in answer]
    lines += [f"  + {line[:200]}" for line in answer if line not in expected]
    return lines or [f"  - {line[:200]}" for line in expected] + [f"  + {line[:200]}" for line in answer]
