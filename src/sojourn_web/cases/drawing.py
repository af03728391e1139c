"""The states drawn: a Mermaid diagram and two tables, for ``docs/reference/case-states.md``.

In: the table of ``states``. Out: Markdown text. Knows no Django.
"""

from __future__ import annotations

from sojourn_web.cases.states import MEANING, TRANSITIONS, Move, State, Transition

BRANCHES = frozenset({Move.WITHDRAW, Move.STOP})


def states_page() -> str:
    """The whole page, without the note that it is generated."""
    out = [
        "# States of a case\n",
        "Withdrawing needs no reason and is open in every state before departure, and in "
        "`stopped`. Nothing here happens by time alone.\n",
        "```mermaid", "stateDiagram-v2", f"    [*] --> {State.ENQUIRY}",
        *(f"    {source} --> {t.goal}: {t.label}" for t in TRANSITIONS if t.move not in BRANCHES
          for source in t.sources),
        f"    note right of {State.WITHDRAWN}: from every state before departure, no reason",
        f"    note right of {State.STOPPED}: from every state before departure, with a reason",
        "```\n",
        "| state | meaning |", "|---|---|", *(f"| `{s}` | {MEANING[s]} |" for s in State), "",
        "## Ways between them\n",
        "| move | from | to | who | asks | reason | taken back by |",
        "|---|---|---|---|---|---|---|",
        *(_row(t) for t in TRANSITIONS), "",
        "## What each question says where it is not met\n",
        "| question | why not, and what to do |", "|---|---|", *_questions(), "",
    ]  # fmt: skip
    return "\n".join(out)


def _row(t: Transition) -> str:
    cells = (
        f"`{t.move}`: {t.label}", ", ".join(t.sources), t.goal, ", ".join(sorted(t.who)),
        ", ".join(g.name for g in t.guards), "yes" if t.reason else "",
        ", ".join(t.reversible_by),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _questions() -> list[str]:
    found = {g.name: g.why_not for t in TRANSITIONS for g in t.guards}
    return [f"| `{name}` | {text} |" for name, text in sorted(found.items())]
