"""What checking a pool found: counts for every check, and the first findings of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAMED = 3
"""How many findings that are alike a person is shown in full."""
_DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+(?:[.,][0-9]+)?")

SHOWN = 50
"""How many findings of a check are kept; all are counted."""


@dataclass(frozen=True)
class Finding:
    """One row that a check stumbled over.

    Attributes:
        level: ``problem`` (an error) or ``outlier`` (listed for a person to look at).
        item_id: the item.
        language: its language, or ``None`` where the finding is about all of them.
        message: what is wrong.
    """

    level: str
    item_id: str
    language: str | None
    message: str

    @property
    def place(self) -> str:
        """The item, with its language."""
        return self.item_id if self.language is None else f"{self.item_id} {self.language}"


@dataclass
class Check:
    """One check and what it found.

    Attributes:
        name: short name.
        proves: what holds if there is no problem, with thresholds.
        examined: how many rows, pairs or items were looked at.
        problems: how many are wrong.
        outliers: how many are odd.
        note: what was left out or sampled, and why.
        findings: the first :data:`SHOWN` of each level.
    """

    name: str
    proves: str
    examined: int = 0
    problems: int = 0
    outliers: int = 0
    note: str | None = None
    findings: list[Finding] = field(default_factory=list)

    def problem(self, item_id: str, language: str | None, message: str) -> None:
        """Count an error, and keep it if it is among the first."""
        self.problems += 1
        if self.problems <= SHOWN:
            self.findings.append(Finding("problem", item_id, language, message))

    def outlier(self, item_id: str, language: str | None, message: str) -> None:
        """Count an oddity, and keep it if it is among the first."""
        self.outliers += 1
        if self.outliers <= SHOWN:
            self.findings.append(Finding("outlier", item_id, language, message))

    def in_groups(self) -> list[str]:
        """Return lines for a person: of findings that differ only in details the first few, then who else."""
        groups: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            kind = _DETAIL.sub("…", finding.message)[:40]
            groups.setdefault((finding.level, kind), []).append(finding)
        lines = []
        for (level, _), alike in groups.items():
            lines += [f"{level}: {finding.place}: {finding.message}" for finding in alike[:NAMED]]
            if len(alike) > NAMED:
                places = ", ".join(finding.place for finding in alike[NAMED : NAMED + 5])
                more = ", …" if len(alike) > NAMED + 5 else ""
                lines.append(f"{level}: {len(alike) - NAMED} more like these: {places}{more}")
        unlisted = self.problems + self.outliers - len(self.findings)
        return lines + ([f"and {unlisted:,} more, of any kind"] if unlisted else [])


@dataclass(frozen=True)
class CheckReport:
    """All checks of a pool.

    Attributes:
        pool: its name.
        fingerprint: of its content.
        rows: how many.
        items: how many.
        languages: their tags.
        checks: in the order in which they ran.
    """

    pool: str
    fingerprint: str
    rows: int
    items: int
    languages: list[str]
    checks: list[Check]

    @property
    def problems(self) -> list[Finding]:
        """The errors that were kept, of all checks."""
        return [found for check in self.checks for found in check.findings if found.level == "problem"]

    @property
    def outliers(self) -> list[Finding]:
        """The oddities that were kept, of all checks."""
        return [found for check in self.checks for found in check.findings if found.level == "outlier"]

    @property
    def ok(self) -> bool:
        """Whether no check found a problem."""
        return not any(check.problems for check in self.checks)
