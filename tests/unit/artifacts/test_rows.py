"""JSON lines end at newlines alone."""

import json

from components.artifacts.rows import rows_of


def test_rows_end_at_newlines_alone() -> None:
    texts = ["\u2028", "\u2029", "\u0085", "\u000b\u000c", "\u001c\u001d\u001e", "\r", "\n", ""]
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    assert [row["text"] for row in rows_of(lines)] == texts
    assert [row["text"] for row in rows_of(lines.removesuffix("\n"))] == texts
    assert not list(rows_of(""))
