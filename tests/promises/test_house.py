"""The house rules: what the plan of the repository promises to anyone who opens it."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "casefinding"
KNOWS_DISEASES = ("synthetic", "records/sources")
DISEASES = re.compile(
    r"hypertens|atrial|fibrillat|\bcopd\b|_copd|copd_|\baf_|systolic|diastolic|blood.pressure|spirometr|\becg_",
    re.IGNORECASE,
)
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".csv", ".html", ".css", ".ipynb", ".lock", ".txt", ".json", ""}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.suffix in TEXT else ""


def test_imports_go_one_way():
    walls = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert walls.returncode == 0, walls.stdout + walls.stderr


def test_the_engine_knows_no_disease_by_name():
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.relative_to(PACKAGE).as_posix().startswith(KNOWS_DISEASES)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if DISEASES.search(line)
    ]
    assert named == []


def test_help_imports_nothing_heavy():
    heavy = "numpy pandas pyarrow duckdb numba sklearn lightgbm mlflow pydantic yaml jinja2 matplotlib xlsxwriter"
    script = (
        "import sys; sys.argv = ['casefinding', '--help']\n"
        "from casefinding.cli import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        f"print('HEAVY', [name for name in {heavy.split()!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "HEAVY []"


def test_no_python_among_the_definitions():
    for folder in ("features", "models", "configs"):
        assert not [path for path in (ROOT / folder).rglob("*.py")]


def test_a_file_is_small_enough_to_read():
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in PACKAGE.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    assert long == []


def test_every_public_function_says_what_it_does():
    silent = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node) and len(node.body) > 3:
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


def test_only_the_judge_reads_the_truth():
    reads = re.compile(r"truth\.parquet|Truth\.read|truth.*read_table|read_table.*truth", re.IGNORECASE)
    readers = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if reads.search(path.read_text())}
    assert readers <= {"judge", "synthetic", "job"}  # synthetic writes it; the job hands its path to the judge


def _mod11(digits: str) -> bool:
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(digits[9]) and check != 10


def test_no_nhs_number_of_a_real_person_can_be_in_the_repository():
    found = []
    for path in tracked():
        if path.suffix == ".csv" or path.name == "requirements.lock":  # ids of codes and hashes
            continue
        for number in re.findall(r"(?<![\w.])(\d{3}[ -]?\d{3}[ -]?\d{4})(?![\w.])", text_of(path)):
            digits = re.sub(r"\D", "", number)
            if not digits.startswith("999") and _mod11(digits) and not _is_code(digits):
                found.append(f"{path.relative_to(ROOT)}: {digits}")
    assert found == []


def _is_code(digits: str) -> bool:
    """An id that one of our code lists holds is a code, not a person."""
    return digits in _codes()


def _codes() -> set[str]:
    return {
        line.split(",")[0]
        for path in (ROOT / "features" / "codelists").glob("*.csv")
        for line in path.read_text(encoding="utf-8").splitlines()
    }


def test_no_file_names_where_it_was_made_or_where_packages_came_from():
    places = [f"{folder}/" for folder in (ROOT, ROOT.parent, Path.home()) if len(str(folder)) > 1]
    told = re.compile("|".join(map(re.escape, places)) + r"|--(extra-)?index-url|--find-links")
    assert [
        str(path.relative_to(ROOT)) for path in tracked() if path != Path(__file__) and told.search(text_of(path))
    ] == []
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_the_lock_is_hashed_and_covers_what_the_project_needs():
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {match.lower() for match in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)}
    project = (ROOT / "pyproject.toml").read_text()
    wanted = set(re.findall(r'^  "([a-z0-9-]+)(?:>=[^"]*)?",$', project, re.MULTILINE))
    assert wanted
    assert wanted <= pinned
    blocks = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_mlflow_project_files_are_twins():
    assert (ROOT / "MLproject").read_bytes() == (ROOT / "mlproject.yaml").read_bytes()
    assert not (ROOT / "MLproject").is_symlink()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (made,) = folder.glob("*.whl")
    return zipfile.ZipFile(made)


def test_the_wheel_holds_the_package_and_every_definition(wheel):
    names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {
        "casefinding", next(name.split("/")[0] for name in names if ".dist-info" in name)
    }  # fmt: skip
    for folder in ("features", "models", "configs"):
        inside = {name for name in names if name.startswith(f"casefinding/_definitions/{folder}/")}
        here = {
            f"casefinding/_definitions/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*") if path.is_file()
        }  # fmt: skip
        assert inside == here
        assert not [name for name in inside if name.endswith(".py")]
