"""One self-contained HTML page: text, tables, and pictures inside it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #f4f5f7; margin: 0; }
main { max-width: 1200px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 0 0 .4rem; }
.lead { font-size: 1.05rem; color: #333; margin: 0 0 1.5rem; max-width: 60rem; }
section { background: #fff; border: 1px solid #e2e4e8; border-radius: 10px; padding: 1.3rem 1.5rem;
  margin: 0 0 1.4rem; }
section p { margin: .3rem 0 .9rem; max-width: 60rem; }
img { width: 100%; height: auto; display: block; }
img.narrow { max-width: 780px; margin: 0 auto; }
.made { font-size: .82rem; color: #5a6068; margin: .8rem 0 0; }
.made code { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid #eceef1;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #c9ced6; font-weight: 600; vertical-align: bottom;
  white-space: normal; }
summary { cursor: pointer; color: #0b5cad; }
"""


@dataclass(frozen=True)
class HtmlTable:
    """A table of plain text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of the page: what one sees, the picture or table, and how it was made."""

    title: str
    text: str
    made: str = ''
    picture: Path | None = None
    command: str = ''
    table: HtmlTable | None = None
    folded: bool = False
    narrow: bool = False


def write_page(path: Path, title: str, lead: str, parts: Sequence[Section]) -> None:
    """Write the page aside, then rename it."""
    body = '\n'.join(_section(part) for part in parts)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f'<body><main><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>\n'
        f'{body}\n</main></body></html>\n'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f'.{path.name}.{os.getpid()}.part')
    aside.write_text(page, encoding='utf-8')
    os.replace(aside, path)


def _section(part: Section) -> str:
    pieces = [f'<h2>{escape(part.title)}</h2>', f'<p>{escape(part.text)}</p>']
    if part.picture is not None:
        data = base64.b64encode(part.picture.read_bytes()).decode()
        look = ' class="narrow"' if part.narrow else ''
        pieces.append(f'<img{look} alt="{escape(part.title)}" src="data:image/png;base64,{data}">')
    if part.table is not None:
        table = f'<div class="scroll">{_table(part.table)}</div>'
        pieces.append(
            f'<details><summary>show</summary>{table}</details>' if part.folded else table
        )
    if part.made:
        command = f'<br><code>{escape(part.command)}</code>' if part.command else ''
        pieces.append(f'<p class="made">{escape(part.made)}{command}</p>')
    return '<section>' + '\n'.join(pieces) + '</section>'


def _table(table: HtmlTable) -> str:
    head = ''.join(f'<th>{escape(cell)}</th>' for cell in table.head)
    rows = ''.join(
        '<tr>' + ''.join(f'<td>{escape(cell)}</td>' for cell in row) + '</tr>' for row in table.rows
    )
    return f'<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
