"""Write the table of what the account and a dev server offer (`backends/cloudflare/offers.py`) into docs/targets.md."""

from __future__ import annotations

from pathlib import Path

from workbench.backends.cloudflare.offers import ACCOUNT, DIFFERENCES, MIRROR

PAGE = Path(__file__).parent.parent / "docs" / "targets.md"
BEGIN, END = "<!-- made by scripts/make_targets_table.py -->\n", "<!-- end -->"


def table() -> str:
    """The differences, then what a side lacks, with its reason."""
    lines = ["| | the account | a dev server |", "|---|---|---|"]
    lines += [f"| {name} | {account} | {mirror} |" for name, account, mirror in DIFFERENCES]
    lines += [
        "",
        "What one of them lacks (a dash: it can be done):",
        "",
        "| | the account | a dev server |",
        "|---|---|---|",
    ]
    for name in sorted(ACCOUNT.keys() | MIRROR.keys()):
        lines.append(f"| `{name}` | {ACCOUNT.get(name, '–')} | {MIRROR.get(name, '–')} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table in its place."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
