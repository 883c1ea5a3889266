"""Files of studies: verified wherever they come from, clear when they cannot be had."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from proda_lib import paths
from proda_lib.studies import download

CONTENT = b"1,2,3\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Place:
    """A made-up project with one registered file, and where it may lie."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        monkeypatch.setenv("PRODA_CACHE", str(root / "cache"))
        monkeypatch.delenv("PRODA_MIRROR", raising=False)
        monkeypatch.setattr(paths, "data", lambda: root)
        self.register(f"http://127.0.0.1:{_closed_port()}/owner/name/c0ffee/a/b.txt")

    def register(self, address: str, sha256: str = SHA256) -> None:
        (self.root / "registry.toml").write_text(
            f'[toy]\nlicence = "none"\n[[toy.file]]\nname = "a/b.txt"\naddress = "{address}"\n'
            f'sha256 = "{sha256}"\nbytes = {len(CONTENT)}\n'
        )

    @property
    def cached(self) -> Path:
        return self.root / "cache" / "downloads" / "toy" / "a" / "b.txt"

    def put(self, path: Path, content: bytes = CONTENT) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a local server that answers every request with CONTENT."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "absent" in self.path:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as local:
        threading.Thread(target=local.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{local.server_port}"
        local.shutdown()


def _problem() -> str:
    with pytest.raises(download.DownloadError) as error:
        download.fetch("toy", progress=False)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_network_the_message_says_all_that_is_needed(place: Place) -> None:
    assert download.missing("toy") == ["a/b.txt"]
    text = _problem()
    for part in ("a/b.txt", "http://127.0.0.1", SHA256, str(place.cached), "PRODA_MIRROR"):
        assert part in text
    assert not any(path.is_file() for path in place.cached.parent.glob("*"))


def test_a_copy_put_by_hand_is_used(place: Place) -> None:
    place.put(place.cached)
    assert download.missing("toy") == []
    assert download.fetch("toy") == {"a/b.txt": place.cached}


def test_download_is_kept_and_not_repeated(place: Place, server: str) -> None:
    place.register(f"{server}/a/b.txt")
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == CONTENT
    place.register(f"http://127.0.0.1:{_closed_port()}/a/b.txt")
    assert download.fetch("toy", progress=False)["a/b.txt"] == place.cached


def test_a_changed_source_is_refused_and_nothing_kept(place: Place, server: str) -> None:
    place.register(f"{server}/a/b.txt", sha256="0" * 64)
    text = _problem()
    assert SHA256 in text and "0" * 64 in text and "nothing was kept" in text
    assert not place.cached.exists()


def test_an_absent_source_is_named_with_its_answer(place: Place, server: str) -> None:
    place.register(f"{server}/absent.txt")
    assert "HTTP status 404" in _problem()


def test_a_wrong_file_in_the_cache_is_named_and_left_alone(place: Place) -> None:
    place.put(place.cached, b"other")
    text = _problem()
    for part in (str(place.cached), SHA256, hashlib.sha256(b"other").hexdigest(), "move it away"):
        assert part in text
    assert place.cached.read_bytes() == b"other"


def test_mirror_is_used_in_place_and_verified(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.register("https://raw.githubusercontent.com/owner/name/c0ffee/a/b.txt")
    monkeypatch.setenv("PRODA_MIRROR", str(tmp_path / "mirror"))
    mirrored = tmp_path / "mirror/github.com/owner/name/c0ffee/a/b.txt"
    place.put(mirrored)
    assert download.missing("toy") == []
    assert download.fetch("toy") == {"a/b.txt": mirrored}
    assert not place.cached.exists()
    place.put(mirrored, b"other")
    assert str(mirrored) in _problem()


def test_registry_names_a_fixed_commit_and_whole_hashes() -> None:
    registered = download.registry("newyork")
    assert len({file.name for file in registered}) == len(registered) == 31
    for file in registered:
        assert "/a1c5e0e0383f23bb344c77e693a99c68c4bc1abe/" in file.address
        assert file.address.endswith(file.name)
        assert len(bytes.fromhex(file.sha256)) == 32 and file.bytes > 0


BIG = bytes(range(256)) * 4096  # 1 MiB


class Breaking(http.server.ThreadingHTTPServer):
    """A local server of one file that can cut its answers, ignore Range, or send something else."""

    def __init__(self, cut: int = 0, ranges: bool = True, content: bytes = BIG) -> None:
        super().__init__(("127.0.0.1", 0), _BreakingHandler)
        self.cut, self.ranges, self.content = cut, ranges, content
        self.starts: list[int] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/a/b.txt"


class _BreakingHandler(http.server.BaseHTTPRequestHandler):
    server: Breaking

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        self.server.starts.append(start)
        rest = self.server.content[start:]
        if start and not rest:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        # The connection ends before what was promised has come, as often as `cut` says.
        self.wfile.write(rest[: len(rest) // 2] if self.server.cut else rest)
        self.server.cut = max(0, self.server.cut - 1)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def breaking(place: Place) -> Iterator[Breaking]:
    with Breaking() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place.register(server.address, hashlib.sha256(BIG).hexdigest())
        yield server
        server.shutdown()


def _part(place: Place) -> Path:
    return place.cached.with_name("b.txt.part")


def _only(place: Place) -> list[str]:
    return [path.name for path in place.cached.parent.iterdir()]


def test_a_cut_connection_is_taken_up_where_it_broke(place: Place, breaking: Breaking) -> None:
    breaking.cut = 2
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == BIG
    assert breaking.starts == [0, len(BIG) // 2, len(BIG) * 3 // 4]
    assert _only(place) == ["b.txt"]


def test_a_download_that_failed_is_continued_by_the_next(place: Place, breaking: Breaking) -> None:
    breaking.cut = 100
    text = _problem()
    came = _part(place).stat().st_size
    assert 0 < came < len(BIG) and f"{came:,} bytes are kept" in text
    assert _only(place) == ["b.txt.part"] and download.missing("toy") == ["a/b.txt"]
    breaking.cut = 0
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == BIG
    assert breaking.starts[-1] == came and _only(place) == ["b.txt"]


def test_a_server_without_ranges_sends_the_whole_again(place: Place, breaking: Breaking) -> None:
    breaking.ranges = False
    place.put(_part(place), BIG[:1000])
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == BIG
    assert breaking.starts == [0]


def test_a_part_of_another_file_is_thrown_away(place: Place, breaking: Breaking) -> None:
    place.put(_part(place), b"x" * 1000)
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == BIG
    assert breaking.starts == [1000, 0]


def test_a_whole_part_needs_no_more_bytes(place: Place, breaking: Breaking) -> None:
    place.put(_part(place), BIG)
    assert download.fetch("toy", progress=False)["a/b.txt"].read_bytes() == BIG
    assert breaking.starts == [len(BIG)] and _only(place) == ["b.txt"]


@pytest.mark.parametrize("part", [b"", b"x" * 1000])
def test_a_wrong_file_leaves_nothing(place: Place, breaking: Breaking, part: bytes) -> None:
    breaking.content = b"sorry" * 1000
    if part:
        place.put(_part(place), part)
    assert "nothing was kept" in _problem()
    assert _only(place) == []


def test_a_git_blob_id_is_a_check_too(place: Place) -> None:
    # The id of the content "1,2,3\n" by its definition, written out here on purpose.
    blob = hashlib.sha1(b"blob 6\0" + CONTENT).hexdigest()
    registry = place.root / "registry.toml"
    text = registry.read_text().replace(f'sha256 = "{SHA256}"', f'git_blob = "{blob}"')
    registry.write_text(text.replace("bytes = 6\n", ""))
    place.put(place.cached)
    assert download.fetch("toy") == {"a/b.txt": place.cached}
    place.put(place.cached, b"other")
    assert f"expected git blob id {blob}" in _problem()
    place.cached.unlink()
    assert f"put a copy with git blob id {blob} at" in _problem()


def test_studies_that_share_files_keep_them_once(place: Place) -> None:
    registry = place.root / "registry.toml"
    registry.write_text(registry.read_text() + '\n[twice]\nfiles_of = "toy"\n')
    place.put(place.cached)
    assert download.fetch("twice") == download.fetch("toy") == {"a/b.txt": place.cached}
    assert {file.study for file in download.registry("twice")} == {"twice"}
