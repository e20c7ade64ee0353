from __future__ import annotations

from pathlib import Path

import pytest

from operators.errors import FileUnreadable, PathRefused, StorageError
from operators.storage import ByteRange, Connection, Secret, Storage, StoredFile

QUERY = "0123456789abcdef" * 2


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "lake"
    for name in ["a.parquet", "b/c.parquet", "b/d/e.csv", "b/_SUCCESS", "b/.hidden/x.parquet", f"results/{QUERY}/0.parquet"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"content of {name}")
    return root


@pytest.fixture(name="storage")
def _storage(root: Path, tmp_path: Path) -> Storage:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/o.parquet").write_text("o")
    connections = [Connection("default", str(root)), Connection("inner", f"file://{root}/b"), Connection("other", str(tmp_path / "other"))]
    return Storage(connections, scratch_directory=tmp_path / "scratch")


def paths(files: list[StoredFile]) -> list[str]:
    return [file.path for file in files]


def test_lists_folders_and_trees(storage: Storage) -> None:
    listing = storage.list_folder("default:")
    assert paths(list(listing.files)) == ["default:a.parquet"]
    assert listing.folders == ("b/", "results/")
    assert paths(list(storage.list_folder("default:b/").files)) == ["default:b/_SUCCESS", "default:b/c.parquet"]
    assert paths(storage.list_tree("default:b/")) == ["default:b/c.parquet", "default:b/d/e.csv"]
    assert storage.list_tree("default:nothing/") == []
    assert storage.list_folder("default:nothing/").files == ()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.parquet", ["default:a.parquet"]),
        ("a.parquet", ["default:a.parquet"]),
        ("./b//c.parquet", ["default:b/c.parquet"]),
        ("b", ["default:b/c.parquet", "default:b/d/e.csv"]),
        ("b/**", ["default:b/c.parquet", "default:b/d/e.csv"]),
        ("**/*.parquet", ["default:a.parquet", "default:b/c.parquet"]),
        ("b/_*", ["default:b/_SUCCESS"]),
        ("other:*", ["other:o.parquet"]),
        ("inner:**", ["inner:c.parquet", "inner:d/e.csv"]),
        ("{root}/a.*", ["default:a.parquet"]),
        ("file://{root}/b/*.parquet", ["inner:c.parquet"]),
        ("nothing/*", []),
        ("results/*/*.parquet", []),
        (f"results/{QUERY}/0.parquet", []),
    ],
)
def test_resolves_patterns(storage: Storage, root: Path, pattern: str, found: list[str]) -> None:
    assert paths(storage.resolve(pattern.format(root=root))) == found


@pytest.mark.parametrize(
    "pattern",
    [
        "../other/*",
        "b/../../other/*",
        "default:../x",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://{root}/../other2/x",
        "{root}x/a",
        "s3://bucket/x",
        "https://example.com/x",
        "nobody:x",
        "C:\\x",
        "a\0b",
    ],
)
def test_refuses_what_leaves_the_connections(storage: Storage, root: Path, pattern: str) -> None:
    with pytest.raises(PathRefused):
        storage.resolve(pattern.format(root=root))


def test_symbolic_links_out_of_the_root_are_listed_by_name_and_refused(storage: Storage, root: Path, tmp_path: Path) -> None:
    (root / "link.parquet").symlink_to(tmp_path / "other/o.parquet")
    (root / "linked").symlink_to(tmp_path / "other")
    (root / "inside.parquet").symlink_to(root / "a.parquet")
    files = {file.path: file for file in storage.list_folder("default:").files}
    assert list(files) == ["default:a.parquet", "default:inside.parquet", "default:link.parquet"]
    link = files["default:link.parquet"]
    assert link.size_bytes != (tmp_path / "other/o.parquet").stat().st_size  # nothing is told of what is outside
    assert storage.list_folder("default:").folders == ("b/", "linked/", "results/")
    for call in (
        lambda: storage.resolve("link.parquet"),
        lambda: storage.resolve("linked/o.parquet"),
        lambda: storage.resolve("linked/*"),
        lambda: storage.resolve("**/*.parquet"),
        lambda: storage.list_tree("default:linked/"),
        lambda: storage.local_files([link]),
        lambda: storage.read_ranges(link, [ByteRange(0, 1)]),
        lambda: storage.local_path(link.path),
    ):
        with pytest.raises(PathRefused, match="leads out of its connection"):
            call()


def test_links_to_nothing_are_listed_by_name_and_told(storage: Storage, root: Path) -> None:
    (root / "gone.parquet").symlink_to(root / "nowhere")
    (root / "itself.parquet").symlink_to(root / "itself.parquet")
    files = {file.path: file for file in storage.list_folder("default:").files}
    assert list(files) == ["default:a.parquet", "default:gone.parquet", "default:itself.parquet"]
    with pytest.raises(FileUnreadable, match=r"default:gone\.parquet vanished"):
        storage.local_files([files["default:gone.parquet"]])
    with pytest.raises(StorageError, match="'default' cannot be read"):
        storage.local_files([files["default:itself.parquet"]])


def test_links_in_circles_end_and_count_no_file_twice(storage: Storage, root: Path) -> None:
    (root / "b/again").symlink_to(root / "b")
    (root / "b/d/up").symlink_to(root / "b")
    assert paths(storage.list_tree("default:b/")) == ["default:b/c.parquet", "default:b/d/e.csv"]


def test_folders_too_deep_to_be_looked_through_are_an_error(storage: Storage, root: Path) -> None:
    folder = root / "deep" / "/".join(["x"] * 120)
    folder.mkdir(parents=True)
    with pytest.raises(StorageError, match=r"'default'.*100 folders"):
        storage.list_tree("default:deep/")


def test_reads_ranges_of_the_listed_version_only(storage: Storage, root: Path) -> None:
    (file,) = storage.list_folder("default:").files
    assert storage.read_ranges(file, [ByteRange(0, 7), ByteRange(11, 13)]) == [b"content", b"a."]
    with pytest.raises(FileUnreadable, match="shorter"):
        storage.read_ranges(file, [ByteRange(0, 1000)])
    (root / "a.parquet").write_text("another content")
    with pytest.raises(FileUnreadable, match=r"default:a\.parquet changed"):
        storage.read_ranges(file, [ByteRange(0, 7)])
    with pytest.raises(FileUnreadable, match=r"default:a\.parquet changed"):
        storage.local_files([file])
    (root / "a.parquet").unlink()
    with pytest.raises(FileUnreadable, match=r"default:a\.parquet vanished"):
        storage.read_ranges(file, [ByteRange(0, 7)])
    assert storage.stat("default:a.parquet") is None


def test_a_root_that_is_not_there_names_the_connection_and_the_remedy(tmp_path: Path) -> None:
    storage = Storage([Connection("lake", str(tmp_path / "gone"))], scratch_directory=tmp_path)
    for call in (storage.check, lambda: storage.list_folder("lake:"), lambda: storage.list_tree("lake:x/")):
        with pytest.raises(StorageError, match="'lake'") as caught:
            call()
        assert "no such file or directory" in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


def test_unknown_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="'lake' is of the unknown kind 'gopher://'"):
        Storage([Connection("lake", "gopher://x")], scratch_directory=tmp_path)


def test_roots_belong_to_the_connection_that_holds_them(storage: Storage, root: Path, tmp_path: Path) -> None:
    assert storage.add_root(str(root)) == "default:"
    assert storage.add_root(f"{root}/b/d") == "inner:d/"
    (tmp_path / "new").mkdir()
    assert storage.add_root(str(tmp_path / "new")) == "new:"
    (tmp_path / "deep/other").mkdir(parents=True)
    assert storage.add_root(str(tmp_path / "deep/other")) == "other_2:"
    assert [connection.name for connection in storage.connections] == ["default", "inner", "other", "new", "other_2"]


def test_secrets_do_not_show() -> None:
    connection = Connection("lake", "s3://b", key=Secret("AKIA-visible"), secret=Secret("hush"))
    assert "hush" not in f"{connection!r} {connection}"
    assert "AKIA" not in repr(connection)


def test_local_roots_name_folders_for_messages(storage: Storage, root: Path) -> None:
    roots = storage.local_roots()
    assert roots[str(root)] == "default:"
    assert "temporary storage" in roots.values()


def test_scratch_files_go_at_the_end(storage: Storage) -> None:
    with storage.scratch_file(".x") as path:
        path.write_text("x")
    assert not path.exists()


def test_downloads_the_listed_version(storage: Storage, tmp_path: Path) -> None:
    (file,) = storage.list_folder("default:").files
    storage.download(file, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "content of a.parquet"


def test_the_file_system_for_the_servers_own_files(storage: Storage, root: Path) -> None:
    fs, path = storage.filesystem()
    assert (path, fs.exists(f"{path}/a.parquet")) == (str(root), True)
