"""The report as one HTML page, for somebody who decides and does not program.

Both languages are in the page; which of them is seen, and which findings, is the work of
its style sheet: no script, nothing from elsewhere. What stands in the source can be
anything, so every piece of text passes through :func:`_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib import resources

from core.assess.catalogue import Severity
from core.assess.effort import DAYS_MOST
from core.assess.model import Assessment, Finding
from core.assess.saying import facts_said, means, remedy, samples_said, work
from core.plan import Fate
from core.words import LANGUAGES, say

Said = Callable[[str], str]
"""From a language to a sentence in it."""
_TONGUES = {"en": "English", "es": "Español"}


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What the report is of, by which version, when, and whether it shows values."""

    source: str
    version: str
    at: datetime
    reveal: bool


def page(assessment: Assessment, head: Letterhead) -> str:
    """The whole page."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    title = _text(f"Mudanza · {head.source}")
    body = "\n".join(_body(assessment, head))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _body(assessment: Assessment, head: Letterhead) -> Iterable[str]:
    yield _languages()
    yield "<main>"
    yield f"<h1>{_both('assess.title', source=head.source)}</h1>"
    yield f'<p class="verdict {_tone(assessment)}">{_verdict(assessment)}</p>'
    yield _numbers(assessment)
    yield from _decisions(assessment, head)
    yield from _findings(assessment, head)
    yield from _tables(assessment)
    yield from _left_behind(assessment)
    yield from _work(assessment)
    yield "</main>"
    at = f"{head.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    masked = "" if head.reveal else " " + _both("assess.masked")
    yield f"<footer>{_both('assess.made', version=head.version, at=at)}{masked}</footer>"


# --- words -------------------------------------------------------------------------------


def _text(value: object) -> str:
    """Any text, harmless in HTML and on paper: what does not print is made visible."""
    shown = "".join(
        c if c.isprintable() or c in "\n " else "\N{REPLACEMENT CHARACTER}" for c in str(value)
    )
    return escape(shown, quote=True)


def _in_both(said: Said) -> str:
    """A sentence in every language, of which the style sheet shows one."""
    spoken = {language: said(language) for language in LANGUAGES}
    if len(set(spoken.values())) == 1:
        return _text(spoken["en"])
    return "".join(f'<span lang="{lang}">{_text(text)}</span>' for lang, text in spoken.items())


def _both(sentence: str, **parameters: object) -> str:
    return _in_both(lambda language: say(sentence, language, **parameters))


def _languages() -> str:
    choices = "".join(
        f'<label><input type="radio" name="language" id="in-{language}"'
        f'{" checked" if language == "en" else ""}> <bdi lang="{language}">{name}</bdi></label>'
        for language, name in _TONGUES.items()
    )
    legend = f"<legend>{_both('assess.language')}</legend>"
    return f'<fieldset class="switch">{legend}{choices}</fieldset>'


# --- the answer in short -------------------------------------------------------------------


def _tone(assessment: Assessment) -> str:
    if assessment.blockers:
        return "blocker"
    return "warning" if assessment.decisions else "good"


def _verdict(assessment: Assessment) -> str:
    if assessment.blockers:
        return _both("assess.verdict.blocked", blockers=assessment.blockers)
    if assessment.decisions:
        return _in_both(
            lambda language: say(
                "assess.verdict.decide",
                language,
                decisions=assessment.decisions,
                effort=work(assessment.effort_minutes, language),
            )
        )
    return _both("assess.verdict.moves")


def _numbers(assessment: Assessment) -> str:
    grade, seconds = assessment.grade, assessment.estimate.seconds
    letter = _both(f"assess.grade.{grade.letter}", days=DAYS_MOST)
    kind = _both(f"assess.difficulty.{grade.difficulty}")
    unit, amount = ("seconds", seconds) if seconds < 120 else ("minutes", seconds / 60)
    cards = [
        ("assess.grade", f"<b>{grade}</b>", f"{letter}; {kind}"),
        ("assess.work", _in_both(lambda tongue: work(assessment.effort_minutes, tongue)), ""),
        *(
            (f"assess.{severity}s", str(_how_many(assessment, severity)), "")
            for severity in Severity
        ),
        ("assess.tables", _number(len(assessment.tables)), ""),
        ("assess.rows", _number(sum(t.rows for t in assessment.tables)), ""),
        ("assess.time", _both(f"assess.{unit}", **{unit: f"{amount:,.0f}"}), ""),
        ("assess.room", _megabytes(assessment.estimate.target_bytes), ""),
    ]
    items = "".join(
        f"<div><dt>{_both(name)}</dt><dd>{value}"
        f"{f'<small>{more}</small>' if more else ''}</dd></div>"
        for name, value, more in cards
    )
    return f'<dl class="numbers">{items}</dl>'


def _how_many(assessment: Assessment, severity: Severity) -> int:
    return sum(f.severity is severity for f in assessment.findings)


def _number(value: int) -> str:
    """Grouped as both languages read it: with thin spaces."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _megabytes(size: int) -> str:
    if size < 1_000_000:
        return f"{_number(max(1, size // 1000))} kB"
    return f"{_number(size // 1_000_000)} MB"


# --- findings ------------------------------------------------------------------------------


def _decisions(assessment: Assessment, head: Letterhead) -> Iterable[str]:
    open_ones = [f for f in assessment.findings if f.wants_decision]
    yield f'<section><h2 id="decide">{_both("assess.decide")}</h2>'
    if not open_ones:
        yield f"<p>{_both('assess.decide.none')}</p>"
    for finding_id in dict.fromkeys(f.id for f in open_ones):
        yield from _group([f for f in open_ones if f.id == finding_id], head)
    yield "</section>"


def _group(found: Sequence[Finding], head: Letterhead) -> Iterable[str]:
    """Findings of one kind: what it is and what to do once, then where."""
    first = found[0]
    general = len({means(f, "en") for f in found}) == 1
    told = _in_both(lambda language: means(first, language)) if general else _text(first.id)
    yield f'<article class="{first.severity}"><h3>{_badge(first)} {told}</h3>'
    yield f'<p class="todo">{_in_both(lambda language: remedy(first, language))}</p><ul>'
    for each in found:
        said = "" if general else f": {_in_both(lambda tongue, f=each: means(f, tongue))}"  # type: ignore[misc]
        yield f"<li><code>{_text(each.object)}</code>{said} {_evidence(each, head)}</li>"
    yield "</ul></article>"


def _evidence(found: Finding, head: Letterhead) -> str:
    parts = []
    if found.rows:
        parts.append(_both("assess.concerned", rows=_number(found.rows)))
    if found.sample_keys:
        keys = ", ".join(f"<code>{_text(key)}</code>" for key in found.sample_keys)
        parts.append(f"{_both('assess.keys')} {keys}")
    if samples := samples_said(found, reveal=head.reveal):
        shown = ", ".join(f"<code>{_text(sample)}</code>" for sample in dict.fromkeys(samples))
        parts.append(f"{_both('assess.values')} {shown}")
    for name, fact in facts_said(found, reveal=head.reveal).items():
        parts.append(f"{_both(f'fact.{name}')} <code>{_text(fact)}</code>")
    if found.accepted:
        parts.append(_both("assess.accepted", reason=found.accepted))
    said = f'<span class="evidence">{" · ".join(parts)}</span>' if parts else ""
    if found.remedy.conversion is None:
        return said
    lines = f"<pre>{_text(found.remedy.plan)}</pre>"
    return f"{said}<details><summary>{_both('assess.in_plan')}</summary>{lines}</details>"


def _badge(found: Finding) -> str:
    return f'<span class="badge {found.severity}">{_both(f"severity.{found.severity}")}</span>'


def _findings(assessment: Assessment, head: Letterhead) -> Iterable[str]:
    yield f'<section class="findings"><h2>{_both("assess.findings")}</h2>'
    yield _filters()
    rows = (
        (
            _badge(f),
            f"<code>{_text(f.object)}</code>",
            f"{_in_both(lambda language, f=f: means(f, language))} {_evidence(f, head)}",  # type: ignore[misc]
            _number(f.rows) if f.rows else "",
            str(f.effort_minutes or ""),
            f"<code>{_text(f.id)}</code>",
        )
        for f in assessment.findings
    )
    names = ("severity", "where", "what", "rows", "effort", "id")
    yield _table("assess.findings", names, rows, [f.severity for f in assessment.findings])
    if assessment.suppressed:
        yield f"<p>{_both('assess.suppressed', count=assessment.suppressed)}</p>"
    yield "</section>"


def _filters() -> str:
    choices = [("all", _both("assess.all"))]
    choices += [(severity.value, _both(f"assess.{severity}s")) for severity in Severity]
    labels = "".join(
        f'<label><input type="radio" name="severity" id="show-{name}"'
        f"{' checked' if name == 'all' else ''}> {said}</label>"
        for name, said in choices
    )
    legend = f"<legend>{_both('assess.findings.show')}</legend>"
    return f'<fieldset class="filter">{legend}{labels}</fieldset>'


# --- tables, objects, work -------------------------------------------------------------------


def _table(
    caption: str,
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    classes: Sequence[str] = (),
) -> str:
    """A table whose cells are HTML already; numbers stand to the right."""
    head = "".join(
        f'<th scope="col" class="{name}">{_both(f"assess.{name}")}</th>' for name in names
    )
    lines = []
    for place, row in enumerate(rows):
        kind = f' class="{classes[place]}"' if classes else ""
        cells = "".join(
            f'<td class="{name}">{value}</td>' for name, value in zip(names, row, strict=True)
        )
        lines.append(f"<tr{kind}>{cells}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table><caption>{_both(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _tables(assessment: Assessment) -> Iterable[str]:
    rows = (
        (
            f"<code>{_text(t.name)}</code>",
            _number(t.rows),
            _number(t.bytes),
            _number(t.target_bytes),
        )
        for t in assessment.tables
    )
    yield f"<section><h2>{_both('assess.tables')}</h2>"
    yield _table("assess.tables", ("where", "rows", "source_bytes", "target_bytes"), rows)
    yield "</section>"


def _left_behind(assessment: Assessment) -> Iterable[str]:
    lost = [o for o in assessment.objects if o.fate is Fate.NOT_CARRIED]
    yield f"<section><h2>{_both('assess.not_carried')}</h2>"
    if not lost:
        yield f"<p>{_both('assess.not_carried.none')}</p>"
    else:
        rows = (
            (
                _both(f"kind.{o.kind}"),
                f"<code>{_text(o.name)}</code>",
                _both(f"fate.{o.reason}", **o.facts),
            )
            for o in lost
        )
        yield _table("assess.not_carried", ("kind", "where", "what"), rows)
    yield "</section>"


def _work(assessment: Assessment) -> Iterable[str]:
    if assessment.effort_by_kind:
        rows = (
            (_both(f"kind.{kind}"), _number(minutes))
            for kind, minutes in assessment.effort_by_kind.items()
        )
        yield f"<section><h2>{_both('assess.by_kind')}</h2>"
        yield _table("assess.by_kind", ("kind", "effort"), rows)
        yield "</section>"
