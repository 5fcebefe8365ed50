#!/usr/bin/env python3
"""Counts how dense the code is and holds it to the limits of CONTRIBUTING.md. Standard library only.

    python3 checks/density.py             fails when a place breaks a limit (`dev.py lint` runs it)
    python3 checks/density.py PATH...     lists every place below the paths that breaks a limit
    python3 checks/density.py --report    prints a table with one line per package

Complexity is McCabe's number with what mccabe leaves out: comprehensions, conditional expressions, cases of
`match` and the operands of `and` and `or`. A nested function counts for itself and for the function around
it, because a reader of the outer one reads both.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tranship"

MOST_COMPLEXITY = 12
MOST_PARAMETERS = 6
MOST_FUNCTION_LINES = 50
MOST_FILE_LINES = 400
MOST_LINE_LENGTH = 110

# McCabe's own limit, so that the report can be compared with other projects.
DENSE = 10

HELD: tuple[str, ...] = ("benchmarks", "checks", "dev.py", "manual", "scripts", "src")
"""Folders and files, relative to the root, that keep the limits."""

SPLIT_PACKAGES = frozenset({"planning", "execution"})
"""Packages with stages, which the report shows one by one."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp)


class Excess(NamedTuple):
    """One place that breaks a limit."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


@dataclass(frozen=True)
class SourceFile:
    """A Python file, read and parsed once."""

    path: Path
    text: str
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> SourceFile:
        """Returns the file at this path. Raises SyntaxError when it is not Python."""
        text = path.read_text(encoding="utf-8")
        return cls(path, text, ast.parse(text, str(path)))

    @property
    def functions(self) -> list[Function]:
        """Every function and method of the file, nested ones included."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]


def branches_of(node: ast.AST) -> int:
    """Returns how many further paths a single syntax node adds to its function."""
    match node:
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
        case ast.match_case():
            return 1 + (node.guard is not None)
    return int(isinstance(node, BRANCHES))


def complexity_of(function: Function) -> int:
    """Returns the complexity of a function: 1 for a function without a branch."""
    return 1 + sum(branches_of(node) for node in ast.walk(function))


def parameter_count(function: Function) -> int:
    """Returns how many arguments a caller can pass; `self` and `cls` are not passed by a caller."""
    arguments = function.args
    named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if named[:1] in (["self"], ["cls"]):
        named = named[1:]
    return len(named) + (arguments.vararg is not None) + (arguments.kwarg is not None)


def line_count(function: Function) -> int:
    """Returns the lines of a function with its docstring and without its decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def excesses_of_function(path: Path, function: Function) -> Iterator[Excess]:
    """Yields the limits that a function breaks."""
    counts = (
        ("complexity", complexity_of(function), MOST_COMPLEXITY),
        ("parameters", parameter_count(function), MOST_PARAMETERS),
        ("lines", line_count(function), MOST_FUNCTION_LINES),
    )
    for name, count, most in counts:
        if count > most:
            yield Excess(path, function.lineno, f"{function.name} has {name} {count}, at most {most}")


def excesses_of(file: SourceFile) -> Iterator[Excess]:
    """Yields the limits that a file and the functions in it break, in the order of kinds."""
    lines = file.text.splitlines()
    if len(lines) > MOST_FILE_LINES:
        yield Excess(file.path, 1, f"the file has {len(lines)} lines, at most {MOST_FILE_LINES}")
    for function in file.functions:
        yield from excesses_of_function(file.path, function)
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_LINE_LENGTH:
            yield Excess(file.path, number, f"the line is {len(line)} long, at most {MOST_LINE_LENGTH}")


def files_below(folder: Path) -> list[SourceFile]:
    """Returns the Python files below a folder, or the file itself, in the order of their paths."""
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
    return [SourceFile.read(path) for path in paths]


def text_lines(tree: ast.Module) -> set[int]:
    """Returns the numbers of the lines that hold a docstring, of a definition or of an attribute."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def comment_lines(text: str) -> tuple[int, set[int]]:
    """Returns the number of comments, without checker directives, and the lines of comments only."""
    count, alone = 0, set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if not token.string.startswith(("# noqa", "# type:", "# pragma", "#!")):
                count += 1
            if token.line.lstrip().startswith("#"):
                alone.add(token.start[0])
    return count, alone


def public_definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef | ast.Module]:
    """Yields what needs a docstring: the module, its public classes and functions, and public methods."""
    yield tree
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    part for part in node.body if isinstance(part, Function) and not part.name.startswith("_")
                )


def counts_of(file: SourceFile) -> Counter[str]:
    """Returns what the report adds up, for one file."""
    comments, alone = comment_lines(file.text)
    blank = {number for number, line in enumerate(file.text.splitlines(), 1) if not line.strip()}
    lines = len(file.text.splitlines())
    public = list(public_definitions(file.tree))
    return Counter(
        rooms=int(bool(file.text.strip()) and file.path.name != "__init__.py"),
        statements=sum(isinstance(node, ast.stmt) for node in ast.walk(file.tree)),
        functions=len(file.functions),
        dense=sum(complexity_of(function) > DENSE for function in file.functions),
        wide=sum(parameter_count(function) > MOST_PARAMETERS for function in file.functions),
        comments=comments,
        code=lines - len(blank | alone | text_lines(file.tree)),
        public=len(public),
        documented=sum(ast.get_docstring(node) is not None for node in public),
        excesses=sum(1 for _ in excesses_of(file)),
    )


def package_of(path: Path) -> str:
    """Returns the package that a file is reported under; modules at the top are reported together."""
    parts = path.relative_to(SOURCE).parts[:-1]
    return "/".join(parts[:2] if parts[:1] and parts[0] in SPLIT_PACKAGES else parts[:1]) or "(top)"


def percent(part: int, whole: int) -> float:
    """Returns the part in percent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


HEADINGS = ("package", "files", "statem.", "funct.", "dense %", "wide", "comm./100", "docum. %", "beyond")


def print_row(name: str, counts: Counter[str]) -> None:
    """Prints one line of the report."""
    cells = (
        str(counts["rooms"]),
        str(counts["statements"]),
        str(counts["functions"]),
        f"{percent(counts['dense'], counts['functions']):.1f}",
        str(counts["wide"]),
        f"{percent(counts['comments'], counts['code']):.1f}",
        f"{percent(counts['documented'], counts['public']):.1f}",
        str(counts["excesses"]),
    )
    print(f"{name:<24}" + "".join(f"{cell:>11}" for cell in cells))


def print_report() -> None:
    """Prints the table.

    `dense` is complexity above 10, `wide` more than six parameters, `beyond` the number of broken limits.
    """
    packages: dict[str, Counter[str]] = {}
    for file in files_below(SOURCE):
        packages.setdefault(package_of(file.path), Counter()).update(counts_of(file))
    print(f"{HEADINGS[0]:<24}" + "".join(f"{heading:>11}" for heading in HEADINGS[1:]))
    for name, counts in packages.items():
        print_row(name, counts)
    print_row("all", sum(packages.values(), Counter()))


def print_excesses(folders: list[Path]) -> int:
    """Prints what breaks a limit below these folders. Returns how many places that are."""
    found = [excess for folder in folders for file in files_below(folder) for excess in excesses_of(file)]
    for excess in found:
        print(excess)
    return len(found)


def main() -> int:
    """Runs the command line. Returns 1 when a limit is broken where it has to be kept."""
    parser = argparse.ArgumentParser(description="How dense the code is.")
    parser.add_argument("--report", action="store_true", help="print a table, one line per package")
    parser.add_argument("paths", nargs="*", type=Path, help="list what breaks a limit below these paths")
    options = parser.parse_args()
    if options.report:
        print_report()
        return 0
    if options.paths:
        return int(print_excesses([path.resolve() for path in options.paths]) > 0)
    broken = print_excesses([ROOT / folder for folder in HELD])
    print(f"density: {broken} places beyond the limits")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
