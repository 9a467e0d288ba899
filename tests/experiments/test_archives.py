"""ZIP archives by API, form and command: members as files of their own, and hostile archives."""

import gzip
import io
import json
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from experiments.ingest.archives import MOST_MEMBERS, member_name
from experiments.models import TestRun, Upload, UploadContent
from tests.experiments import form_upload
from tests.experiments.mutations import mutated
from tests.experiments.tokens import bearer
from tests.experiments.ways_in import facts
from tests.factories import experiment, make_staff

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parent / "samples"
BENCH = (SAMPLES / "llama_bench.json").read_bytes()
NO_GPU = (SAMPLES / "llama_bench_no_gpu.json").read_bytes()
SEED = (SAMPLES / "seed_experiment.json").read_bytes()
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xfe"
NUL = b"\x00" * 50_000


def packed(
    files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]],
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return an archive with these files, in order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return buffer.getvalue()


def run_of(**fields: Any) -> bytes:
    return json.dumps({"experiment_run": experiment(**fields)}).encode()


def send(client: Client, data: bytes, name: str = "results.zip", **fields: str) -> Any:
    file = SimpleUploadedFile(name, data, "application/zip")
    return client.post("/api/uploads", {"file": file, **fields}, headers=bearer("upload"))


def words_of(answer: dict[str, Any]) -> str:
    return " ".join(problem["path"] + problem["message"] for problem in answer["details"])


def by_path(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {file["path"]: file for file in answer["files"]}


# ------------------------------------------------------------------ the API


def test_each_member_is_a_file_of_its_own(client: Client) -> None:
    data = packed({"h100/bench.json": BENCH, "seed.json": SEED})
    response = send(client, data)
    answer = response.json()
    assert response.status_code == 201, answer
    assert (answer["outcome"], answer["format"], answer["upload_id"]) == ("created", "zip", None)
    files = by_path(answer)
    assert [file["outcome"] for file in files.values()] == ["created", "created"]
    assert files["h100/bench.json"]["format"] == "llama-bench-json"
    assert answer["runs"] == [run for file in files.values() for run in file["runs"]]
    assert TestRun.objects.count() == len(answer["runs"])
    uploads = Upload.objects.order_by("id")
    assert [upload.file_name for upload in uploads] == [
        "results.zip/h100/bench.json",
        "results.zip/seed.json",
    ]
    assert [upload.content.data for upload in uploads] == [BENCH, SEED]
    assert len({upload.batch for upload in uploads}) == 1
    assert UploadContent.objects.count() == 2  # the archive is not kept beside its files
    detail = client.get(f"/api/detail/{answer['runs'][0]}").json()
    assert detail["provenance"]["file_name"] == "results.zip/h100/bench.json"


def test_the_same_archive_again_is_unchanged(client: Client) -> None:
    data = packed({"a.json": BENCH})
    first = send(client, data).json()
    again = send(client, data)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert again.json()["runs"] == first["runs"]
    assert Upload.objects.count() == 1


def test_a_dry_run_writes_nothing(client: Client) -> None:
    response = send(client, packed({"a.json": BENCH, "b.json": NO_GPU}), dry_run="true")
    assert (response.status_code, response.json()["outcome"]) == (200, "dry_run")
    assert response.json()["rejected"] == 1
    assert (TestRun.objects.count(), UploadContent.objects.count()) == (0, 0)


def test_a_refused_member_does_not_hold_up_the_others_and_is_kept(client: Client) -> None:
    response = send(client, packed({"bad/x.json": b"{", "bench.json": BENCH}))
    answer = response.json()
    assert (response.status_code, answer["outcome"], answer["rejected"]) == (201, "created", 1)
    bad = by_path(answer)["bad/x.json"]
    assert (bad["outcome"], bad["code"]) == ("rejected", "unreadable")
    assert bad["errors"][0]["path"] == "line 1, column 2"
    assert Upload.objects.get(pk=bad["upload_id"]).content.data == b"{"


def test_an_archive_of_refused_files_is_an_error_with_the_path_of_each(client: Client) -> None:
    response = send(client, packed({"h100/a.json": NO_GPU, "b.json": b"{"}))
    answer = response.json()
    assert (response.status_code, answer["code"]) == (422, "missing")
    assert answer["error"].startswith("h100/a.json: The file does not say gpu_model")
    assert [problem["path"] for problem in answer["details"]] == [
        "h100/a.json: gpu_model",
        "b.json: line 1, column 2",
    ]
    assert answer["missing"] == ["gpu_model"]
    assert by_path(answer)["h100/a.json"]["suggestions"] == {"gpu_model": "H100"}
    assert send(client, packed({"h100/a.json": NO_GPU}), gpu_model="H100").status_code == 201


def test_sent_again_a_refused_file_is_still_told_where_the_others_are_unchanged(
    client: Client,
) -> None:
    data = packed({"a.json": BENCH, "b.json": NO_GPU})
    assert send(client, data).status_code == 201
    again = send(client, data)
    assert (again.status_code, again.json()["outcome"]) == (422, "rejected")
    assert [file["outcome"] for file in again.json()["files"]] == ["unchanged", "rejected"]


def test_what_lies_beside_results_is_told_and_not_kept(client: Client) -> None:
    data = packed({"a.json": BENCH, "chart.png": PNG, "notes.txt": b"Fans at full speed.\n"})
    answer = send(client, data).json()
    assert (answer["outcome"], answer["skipped"], answer["rejected"]) == ("created", 2, 0)
    assert by_path(answer)["notes.txt"]["outcome"] == "skipped"
    assert by_path(answer)["notes.txt"]["errors"][0]["message"]
    assert Upload.objects.count() == 1


def test_an_archive_without_any_result_is_of_unknown_format(client: Client) -> None:
    response = send(client, packed({"notes.txt": b"Fans at full speed.\n"}))
    assert (response.status_code, response.json()["code"]) == (415, "unknown_format")
    assert response.json()["details"][0]["path"] == "notes.txt"
    upload = Upload.objects.get(pk=response.json()["upload_id"])
    assert (upload.outcome, upload.file_name) == ("rejected", "results.zip")


def test_hidden_files_folders_and_links_are_counted(client: Client) -> None:
    link = zipfile.ZipInfo("link.json")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    data = packed(
        [
            ("runs/", b""),
            ("runs/a.json", BENCH),
            ("__MACOSX/runs/._a.json", b"\x00\x05"),
            (".DS_Store", b"\x00"),
            (".cache/old.json", SEED),
            ("Thumbs.db", b"\x00"),
            (link, b"/etc/passwd"),
        ]
    )
    answer = send(client, data).json()
    assert answer["outcome"] == "created"
    assert answer["left_out"] == {"hidden": 4, "folders": 1, "links": 1}
    assert [file["path"] for file in answer["files"]] == ["runs/a.json"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("../../etc/a.json", "etc/a.json"),
        ("/home/jo/runs/a.json", "home/jo/runs/a.json"),
        ("C:\\Users\\jo\\a.json", "Users/jo/a.json"),
        ("a/./b//c.json", "a/b/c.json"),
        ("bad\x07name.json", "bad�name.json"),
        ("..", "unnamed"),
    ],
)
def test_names_lead_nowhere(written: str, name: str) -> None:
    assert member_name(written) == name


def test_no_member_is_written_to_disk(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = send(client, packed({"../up.json": BENCH, "/abs.json": SEED})).json()
    assert [file["path"] for file in answer["files"]] == ["up.json", "abs.json"]
    assert not list(tmp_path.parent.glob("up.json"))
    assert not list(tmp_path.iterdir())


def test_a_packed_member_is_read_and_an_archive_in_one_is_not(client: Client) -> None:
    inner = packed({"seed.json": SEED})
    answer = send(client, packed({"a.json.gz": gzip.compress(BENCH), "inner.zip": inner})).json()
    files = by_path(answer)
    assert files["a.json.gz"]["outcome"] == "created"
    assert files["inner.zip"]["outcome"] == "rejected"
    assert "never inside another one" in files["inner.zip"]["errors"][0]["message"]
    assert Upload.objects.get(pk=files["inner.zip"]["upload_id"]).content.data == inner


def test_the_same_bytes_and_the_same_name_twice(client: Client) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed([("a.json", BENCH), ("b.json", BENCH), ("a.json", SEED)])
    files = send(client, data).json()["files"]
    assert [file["outcome"] for file in files] == ["created", "unchanged", "created"]
    assert [file["path"] for file in files] == ["a.json", "b.json", "a.json"]


def test_a_raw_body_is_an_archive_too(client: Client) -> None:
    response = client.post(
        "/api/uploads?notes=weekly",
        packed({"runs/a.json": BENCH}),
        "application/zip",
        headers=bearer("upload"),
    )
    assert response.status_code == 201, response.json()
    assert Upload.objects.get().file_name == "runs/a.json"
    assert set(TestRun.objects.values_list("notes", flat=True)) == {"weekly"}


def test_other_addresses_refuse_an_archive_with_words(client: Client) -> None:
    response = client.post(
        "/api/upload-experiment",
        packed({"seed.json": SEED}),
        "application/zip",
        headers=bearer("upload"),
    )
    assert response.status_code == 400
    assert "/api/uploads" in response.json()["error"]


def test_the_answer_is_described(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    answers = document["paths"]["/api/uploads"]["post"]["responses"]["201"]["content"]
    assert "ArchiveAnswer" in json.dumps(answers)
    assert "application/zip" in document["paths"]["/api/uploads"]["post"]["requestBody"]["content"]
    assert "ArchiveAnswer" in client.get("/api/docs").content.decode()


# ------------------------------------------------------------------ hostile archives


def patched(data: bytes, *, central: dict[int, bytes], local: dict[int, bytes]) -> bytes:
    """Write over fields of the only member, by their offsets in both of its headers."""
    changed = bytearray(data)
    for signature, fields in ((b"PK\x01\x02", central), (b"PK\x03\x04", local)):
        start = changed.index(signature)
        for offset, value in fields.items():
            changed[start + offset : start + offset + len(value)] = value
    return bytes(changed)


def encrypted() -> bytes:
    return patched(packed({"a.json": BENCH}), central={8: b"\x01\x00"}, local={6: b"\x01\x00"})


def of_method(number: int) -> bytes:
    method = struct.pack("<H", number)
    return patched(packed({"a.json": BENCH}), central={10: method}, local={8: method})


def damaged() -> bytes:
    data = bytearray(packed({"a.json": BENCH}, zipfile.ZIP_STORED))
    data[data.index(b'"avg_ts"') + 2] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (packed({"a.json": BENCH})[:-30], 400, "directory at the end cannot be read"),
        (b"PK\x03\x04" + b"\x00" * 40, 400, "directory at the end cannot be read"),
        (packed({}), 400, "holds no file"),
        (packed([("runs/", b"")]), 400, "holds no file"),
        (encrypted(), 400, "is encrypted"),
        (of_method(9), 400, "a method that is not read"),
        (packed({"a.json": BENCH}, zipfile.ZIP_LZMA), 400, "a method that is not read"),
        (packed({"a.json": BENCH}, zipfile.ZIP_BZIP2), 400, "a method that is not read"),
        (damaged(), 400, "is damaged"),
        (
            packed({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
            415,
            "office document",
        ),
        (packed({"mimetype": b"application/vnd.oasis.opendocument"}), 415, "office document"),
        (packed({"a.json": b"0" * 2**21}), 413, "500 times as large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_words(
    client: Client, data: bytes, status: int, words: str
) -> None:
    response = send(client, data, "results.zip")
    answer = response.json()
    assert response.status_code == status, answer
    assert words in answer["error"]
    assert answer["details"]
    assert (answer["outcome"], answer["format"]) == ("rejected", "zip")
    assert not TestRun.objects.exists()
    # Of a file that cannot be unpacked there is nothing to keep; an archive that is none is kept.
    kept = [upload.content.data for upload in Upload.objects.filter(outcome="rejected")]
    assert kept == ([] if "of the archive" in words_of(answer) or status == 413 else [data])


def test_a_member_without_a_name_is_a_file(client: Client) -> None:
    data = packed({"a": BENCH})
    end = data.index(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    # The only letter of the name goes, in both headers, and the directory begins and ends earlier.
    entry = data[start : start + 28] + b"\x00\x00" + data[start + 30 : end - 1]
    local = data[:26] + b"\x00\x00" + data[28:30] + data[31:start]
    tail = data[end : end + 12] + struct.pack("<II", len(entry), len(local)) + b"\x00\x00"
    answer = send(client, local + entry + tail).json()
    assert [(file["path"], file["outcome"]) for file in answer["files"]] == [("unnamed", "created")]


def test_one_damaged_member_does_not_spoil_the_archive(client: Client) -> None:
    data = bytearray(packed({"a.json": BENCH, "b.json": SEED}, zipfile.ZIP_STORED))
    data[data.index(b'"avg_ts"') + 2] ^= 0xFF
    answer = send(client, bytes(data)).json()
    assert [file["outcome"] for file in answer["files"]] == ["rejected", "created"]


def test_too_many_members_are_refused_before_any_is_read(client: Client, tmp_path: Path) -> None:
    data = packed({f"{number}.json": b"{" for number in range(MOST_MEMBERS + 1)})
    response = send(client, data)
    assert response.status_code == 413
    assert "more than 500 files" in response.json()["error"]
    assert not Upload.objects.exists()
    (tmp_path / "many.zip").write_bytes(data)  # no request waits for the command
    printed, _complaint = imported(tmp_path / "many.zip", dry_run=True)
    assert "rejected         501" in printed


def test_a_directory_of_millions_is_not_even_opened(client: Client) -> None:
    entry = b"PK\x01\x02" + b"\x00" * 42
    response = send(client, packed({"a.json": BENCH}) + entry * 30_000)
    assert response.status_code == 413


def test_the_unpacked_sizes_count_together(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = len(BENCH) + len(SEED)
    assert send(client, packed({"a.json": BENCH, "b.json": SEED})).status_code == 201
    response = send(client, packed({"a.json": BENCH, "b.json": SEED, "c.json": b"{}"}))
    assert response.status_code == 413
    assert "larger than" in response.json()["error"]


def test_what_gzip_unpacks_in_an_archive_counts_as_well(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 400_000
    bombs = {f"{number}.gz": gzip.compress(b" " * 300_000) for number in range(3)}
    answer = send(client, packed(bombs)).json()
    codes = [file["code"] for file in answer["files"]]
    assert codes == ["unreadable", "too_large", "too_large"]  # the first is empty
    assert "together" in by_path(answer)["1.gz"]["errors"][0]["message"]


def test_a_member_that_claims_to_be_small_is_damaged(client: Client) -> None:
    small = struct.pack("<I", 10)
    data = patched(packed({"a.json": BENCH}), central={24: small}, local={22: small})
    response = send(client, data)
    assert (response.status_code, "is damaged" in response.json()["error"]) == (400, True)


@hypothesis_settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_mutated_archives_are_taken_or_refused(client: Client, data: st.DataObject) -> None:
    whole = packed({"runs/a.json": NO_GPU, "b.txt": b"notes"}, zipfile.ZIP_STORED)
    body = mutated(data, whole)
    with transaction.atomic():
        before = facts()
        response = send(client, body)
        assert response.status_code in (200, 201, 400, 409, 413, 415, 422), response.content
        if response.status_code >= 400:
            assert response.json()["details"]
            assert facts() == before
        transaction.set_rollback(True)


# ------------------------------------------------------------------ the form


def test_the_form_previews_the_members_as_if_they_had_been_chosen(client: Client) -> None:
    client.force_login(make_staff())
    data = packed({"h100/a.json": NO_GPU, "b.json": BENCH, "chart.png": PNG, ".DS_Store": b"\x00"})
    response = form_upload.send(client, SimpleUploadedFile("week.zip", data))
    text = form_upload.text_of(response)
    assert response.status_code == 422
    assert "week.zip/h100/a.json" in text
    assert "Left out of week.zip, no results in a known format: chart.png." in text
    assert "Left out of week.zip, hidden: .DS_Store." in text
    draft = form_upload.draft("week.zip/h100/a.json")
    assert draft.report["suggestions"] == {"gpu_model": "H100"}
    assert Upload.objects.count() == 2
    form_upload.press(client, "confirm", **{form_upload.field_of(draft, "gpu_model"): "H100"})
    assert set(Upload.objects.values_list("file_name", "outcome")) == {
        ("week.zip/h100/a.json", "created"),
        ("week.zip/b.json", "created"),
    }


def test_the_form_says_what_is_wrong_with_an_archive(client: Client) -> None:
    client.force_login(make_staff())
    for data, status, words in (
        (packed({"a.json": BENCH})[:-30], 400, "directory at the end"),
        (packed({"notes.txt": b"Fans at full speed.\n"}), 415, "No file of the archive"),
        (packed({"[Content_Types].xml": b"<x/>"}), 415, "office document"),
        (encrypted(), 400, "week.zip/a.json. This file of the archive is encrypted"),
    ):
        response = form_upload.send(client, SimpleUploadedFile("week.zip", data))
        assert response.status_code == status
        assert words in form_upload.text_of(response)
    kept = Upload.objects.values_list("file_name", "outcome")
    assert list(kept) == [("week.zip", "rejected")] * 3


def test_an_archive_and_a_file_beside_it(client: Client) -> None:
    client.force_login(make_staff())
    response = form_upload.send(
        client,
        SimpleUploadedFile("week.zip", packed({"a.json": BENCH, "b.json": b"{"})),
        SimpleUploadedFile("seed.json", SEED),
    )
    assert response.status_code == 400
    assert {upload.file_name: upload.outcome for upload in Upload.objects.all()} == {
        "week.zip/a.json": "draft",
        "week.zip/b.json": "rejected",
        "seed.json": "draft",
    }


# ------------------------------------------------------------------ the command


def imported(*arguments: str | Path, **options: Any) -> tuple[str, str | None]:
    printed = io.StringIO()
    try:
        call_command("import_results", *map(str, arguments), stdout=printed, **options)
    except CommandError as error:
        return printed.getvalue(), str(error)
    return printed.getvalue(), None


def test_import_results_reads_archives_as_it_reads_folders(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    data = packed(
        {"h100/a.json": NO_GPU, "b.json": BENCH, "chart.png": PNG, "__MACOSX/._b.json": b"\x00"}
    )
    (folder / "week.zip").write_bytes(data)
    (folder / "seed.json").write_bytes(SEED)
    printed, complaint = imported(folder)
    assert complaint == "2 of 4 files were not taken."
    assert f"Hidden, left out: {folder}/week.zip/__MACOSX/._b.json." in printed
    assert f"{folder}/week.zip/h100/a.json lacks gpu_model: send again with" in printed
    assert set(Upload.objects.values_list("file_name", "outcome")) == {
        ("seed.json", "created"),
        ("week.zip/b.json", "created"),
        ("week.zip/h100/a.json", "rejected"),
    }
    printed, complaint = imported(folder, skip_unknown=True)
    assert complaint == "1 of 4 files were not taken."
    assert "unchanged          2   experiment-json 1, llama-bench-json 1" in printed
    assert "skipped            1   not recognised 1" in printed


def test_reading_a_packed_member_again_counts_it_once(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "week.zip"
    path.write_bytes(packed({"a.json.gz": gzip.compress(BENCH)}))
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 2 * len(BENCH)
    for _time in range(3):
        assert imported(path, dry_run=True)[1] is None


def test_import_results_names_a_broken_archive_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(packed({"a.json": BENCH})[:-30])
    (tmp_path / "locked.zip").write_bytes(encrypted())
    (tmp_path / "seed.json").write_bytes(SEED)
    printed, complaint = imported(tmp_path)
    assert complaint == "2 of 3 files were not taken."
    assert f"{tmp_path}/broken.zip: This is no whole ZIP archive" in printed
    assert f"{tmp_path}/locked.zip/a.json: This file of the archive is encrypted" in printed
    assert Upload.objects.get().file_name == "seed.json"


def test_archives_of_other_programs_in_a_folder_are_not_opened(tmp_path: Path) -> None:
    for name in ("model.pt", "arrays.npz", "table.xlsx"):
        (tmp_path / name).write_bytes(packed({"[Content_Types].xml": NUL, "data.json": BENCH}))
    (tmp_path / "seed.json").write_bytes(SEED)
    printed, complaint = imported(tmp_path, skip_unknown=True)
    assert complaint is None
    assert "skipped            3   not recognised 3" in printed
    assert Upload.objects.count() == 1


def test_an_archive_that_is_named_is_opened_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(packed({"seed.json": SEED}))
    assert imported(path)[1] is None
    assert Upload.objects.get().file_name == "artifact/seed.json"
