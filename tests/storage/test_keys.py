"""Keys in buckets are taken literally: ?, # and a leading / are ordinary characters, wherever a place is given."""

import json
import traceback
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.champion import read as read_champion
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import read_manifest
from components.artifacts.scratch import scratch_directory
from components.artifacts.storage import place_of, redacted, without_secrets
from components.command.settings import recorded
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.sample.config import SampleConfig
from components.train.committed import newest_digest, newest_step
from components.train.config import TrainConfig
from pipelines.commands.main import main
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.digests import digest_of_artifact, digest_of_source
from pipelines.inputs.settings import recipe, settings_of
from pipelines.results.reruns import plan
from tests.storage.conftest import BUCKETS
from tests.storage.test_secrets import CANARY

NAMES = (
    "chat #3.txt",
    "what?.txt",
    "a?b=c&d#e.txt",
    "100%23?.txt",
    "/slash first.txt",
    "two//slashes.txt",
    "a@b:c.txt",
)
SIGNED = (
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={}",
    "?X-Amz-Security-Token={}",
    "?x-goog-signature={}",
    "?GoogleAccessId=a@b&Expires=1&Signature={}",
    "?AWSAccessKeyId={}&Signature=x",
    "?sv=1&sig={}",
    " #3.txt?Expires={}&Signature=x",
)
pytestmark = pytest.mark.parametrize("kind", BUCKETS)


def put(uri: str, data: bytes) -> None:
    """Write an object under the key in the URI, whatever `place_of` makes of it."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    place_of(f"{scheme}://{bucket}").store.write(key, data)


@pytest.fixture
def bucket(root: str) -> str:
    """The bucket alone, whose keys may begin with a slash."""
    return "/".join(root.split("/")[:3])


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_the_object_of_that_very_key_and_is_recorded_so(
    root: str, bucket: str, name: str, tmp_path: Path
) -> None:
    uri = f"{bucket}/{name}" if name.startswith("/") else f"{root}/{name}"
    put(uri, b"the one that is meant")
    assert str(place_of(uri)) == redacted(uri) == uri
    before = digest_of_source(uri, allow_private_hosts=False)
    ingest(IngestConfig(), source=uri, corpus=str(tmp_path / "corpus"), source_digest=before)
    assert (tmp_path / "corpus" / "text.txt").read_text() == "the one that is meant"
    assert read_manifest(tmp_path / "corpus").config["source"] == uri
    assert f"{name.removeprefix('/')}" in (tmp_path / "corpus" / "report.html").read_text().replace("&amp;", "&")
    put(uri, b"another")
    assert digest_of_source(uri, allow_private_hosts=False) not in {before, ""}
    with scratch_directory() as scratch, storage.source_file(uri, scratch, maximum_bytes=100) as path:
        assert path.read_bytes() == b"another"


def test_a_table_is_known_by_the_end_of_its_key(root: str, tmp_path: Path) -> None:
    put(f"{root}/chat #3.csv", b"text\none\ntwo\n")
    ingest(IngestConfig(), source=f"{root}/chat #3.csv", corpus=str(tmp_path / "corpus"))
    assert (tmp_path / "corpus" / "text.txt").read_text() == "one\ntwo\n"


def test_a_prefix_is_the_directory_of_that_very_name(root: str, bucket: str, tmp_path: Path) -> None:
    for uri in (f"{root}/what?/a.txt", f"{root}/what/b.txt", f"{root}/.x/[2] #1/c.txt", f"{root}/.x/2 #1/d.txt"):
        put(uri, uri[-5:-4].encode())
    for uri in (f"{root}/e//f.txt", f"{root}/e/g.txt", f"{root}/h*.txt", f"{root}/hi.txt", f"{root}/j?.txt"):
        put(uri, uri[-5:-4].encode())
    number = root.rpartition("/")[2]
    put(f"{bucket}//{number}/k.txt", b"k")
    for source, text in {
        f"{root}/what?/": "a",
        f"{root}/what?": "a",
        f"{root}/w*t?/*.txt": "a",
        f"{root}/.x/[2] #1/*.txt": "c",
        f"{root}/.x/[2] #1/": "c",
        f"{root}/e//*.txt": "f",
        f"{root}/h*.txt": "*",
        f"{root}/j?.txt": "?",
        f"{root}/w*": "b\na",
        f"{root}/**/g.txt": "g",
        f"{bucket}//{number}/": "k",
        f"{bucket}//{number}/*": "k",
    }.items():
        ingest(IngestConfig(), source=source, corpus=str(tmp_path / "corpus"))
        assert (tmp_path / "corpus" / "text.txt").read_text() == text, source
    for source in (f"{root}/none/", f"{root}/*.md"):
        with pytest.raises(SourceError, match=r": no files there$"):
            ingest(IngestConfig(), source=source, corpus=str(tmp_path / "corpus"))
    for source in (f"{root}/e//", f"{bucket}//"):
        with pytest.raises(UsageError, match="names a directory with an empty name; end it with one /"):
            place_of(source)


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("first", ["", "/"])
def test_a_run_lies_and_is_found_where_its_root_says(
    root: str, bucket: str, first: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = f"{bucket}/{first}{root.rpartition('/')[2]} runs #1?a=b"
    put(f"{root}/tale #1.txt", b"once upon a time")
    corpus = f"{runs}/run-1/ingest/corpus"
    ingest(IngestConfig(), source=f"{root}/tale #1.txt", corpus=corpus)
    assert digest_of_artifact(corpus)
    assert storage.children(runs) == ["run-1"]
    assert main(["artifacts", "ls", "--root", runs, "--json"]) == 0
    assert [one["uri"] for one in json.loads(capsys.readouterr().out)["artifacts"]] == [corpus]
    assert main(["artifacts", "show", "run-1", "--root", runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["artifacts"][0]["lineage"][0]["uri"] == f"{root}/tale #1.txt"
    assert main(["artifacts", "verify", corpus]) == 0
    assert main(["artifacts", "pull", corpus, str(tmp_path / "copy")]) == 0
    assert (tmp_path / "copy" / "text.txt").read_text() == "once upon a time"
    again = plan("ingest", run="run-1", root=runs, assignments=[], recorded={}, fallback="quick")
    assert again.source == f"{root}/tale #1.txt"


def test_checkpoints_prompts_a_corpus_and_the_champion_are_at_the_places_that_are_named(root: str) -> None:
    place = f"{root}/run #1?"
    put(f"{place}/checkpoints/0000000007-0123abcd/manifest.json", b"{}")
    assert newest_step(f"{place}/checkpoints") == 7
    assert newest_digest(f"{place}/checkpoints")
    put(f"{place}/champion", b"no pointer")
    with pytest.raises(ArtifactError, match=r"run #1\?/champion: not a champion's pointer, or incomplete"):
        read_champion(f"{place}/champion")
    put(f"{place}/tale.txt", b"once")
    assignments = [f"train.init_from={place}/checkpoints", f"sample.prompts_file={place}/tale.txt"]
    given = arguments_of(f"{place}/tale.txt", settings_of(recipe("quick"), assignments))
    assert given["source"] == given["sample"]["prompts_file"] == f"{place}/tale.txt"
    assert given["train"]["init_from"] == f"{place}/checkpoints"
    assert given["init_digest"]
    assert given["prompts_digest"] == given["source_digest"] != ""
    config = SampleConfig(prompts_file=f"{place}/tale.txt", corpus=f"{place}/corpus", no_copy=9)
    assert {recorded(config)["prompts_file"], recorded(config)["corpus"]} == {f"{place}/tale.txt", f"{place}/corpus"}
    assert recorded(TrainConfig(init_from=f"{place}/checkpoints"))["init_from"] == f"{place}/checkpoints"


@pytest.mark.parametrize("query", SIGNED)
def test_what_looks_signed_is_refused_and_its_secret_is_shown_nowhere(root: str, query: str, tmp_path: Path) -> None:
    uri = f"{root}/file{query.format(CANARY)}"
    attempts = [
        lambda: place_of(uri),
        lambda: ingest(IngestConfig(), source=uri, corpus=str(tmp_path / "corpus")),
        lambda: ingest(IngestConfig(), source=f"{root}/tale.txt", corpus=uri),
        lambda: newest_step(uri),
        lambda: read_champion(uri),
        lambda: arguments_of(uri, settings_of(recipe("quick"), [])),
        lambda: arguments_of("builtin:python-docs", settings_of(recipe("quick"), [f"train.init_from={uri}"])),
        lambda: arguments_of("builtin:python-docs", settings_of(recipe("quick"), [f"sample.prompts_file={uri}"])),
    ]
    for attempt in attempts:
        with pytest.raises(UsageError, match=r"/file.*: leave out the user or (signature|query)") as failure:
            attempt()
        assert CANARY not in "".join(traceback.format_exception(failure.value))
    assert CANARY not in redacted(uri)
    assert CANARY not in without_secrets(f"unrecognized arguments: {uri} and more")
    assert CANARY not in json.dumps(recorded(SampleConfig(prompts_file=uri)))
