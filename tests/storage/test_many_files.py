"""A directory, a prefix or a glob as a source, in every kind of store."""

from pathlib import Path

from components.artifacts.storage import Place, files_of
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from pipelines.inputs.digests import digest_of_source


def test_a_prefix_and_a_glob_are_read_and_digested_by_what_their_files_hold(at: Place, tmp_path: Path) -> None:
    for name, text in {"b.txt": b"zwei", "a.txt": b"eins", "more/c.txt": b"drei", ".hidden": b"\0"}.items():
        place = at / "texts" / name
        place.store.write(place.key, text)
    for source, text in {
        f"{at}/texts/": "eins\nzwei\ndrei",
        f"{at}/texts": "eins\nzwei\ndrei",
        f"{at}/texts/*.txt": "eins\nzwei",
        f"{at}/texts/b.txt": "zwei",
    }.items():
        ingest(IngestConfig(), source=source, corpus=str(tmp_path / "corpus"))
        assert (tmp_path / "corpus" / "text.txt").read_text() == text
    assert files_of(f"{at}/texts/b.txt") == [f"{at}/texts/b.txt"]

    before = digest_of_source(f"{at}/texts/", allow_private_hosts=False)
    assert digest_of_source(f"{at}/texts/", allow_private_hosts=False) == before
    changed = at / "texts" / "more/c.txt"
    changed.store.write(changed.key, b"four")
    assert digest_of_source(f"{at}/texts/", allow_private_hosts=False) not in {before, ""}
