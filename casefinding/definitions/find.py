"""Where the definitions lie: a folder that holds features/ and models/."""

from __future__ import annotations

from pathlib import Path

from casefinding.errors import DefinitionError


def definitions_folder(given: Path | None = None) -> Path:
    """The folder given, else the one inside the installed package, else the checkout's top.

    The checkout counts only where `mlproject.yaml` stands, so that no folder called features or models that happens
    to lie beside an installed package is ever taken for ours. DefinitionError if there is none.
    """
    if given is not None:
        return _complete(Path(given), "name a folder that holds features/ and models/")
    package = Path(__file__).resolve().parent.parent
    inside = package / "_definitions"
    if inside.is_dir():
        return _complete(inside, "the installation is incomplete: install the package again")
    top = package.parent
    if (top / "mlproject.yaml").is_file():
        return _complete(top, "this checkout is incomplete")
    raise DefinitionError("no definitions were found", hint="name their folder with --definitions DIR")


def _complete(folder: Path, hint: str) -> Path:
    for needed in ("features", "models"):
        if not (folder / needed).is_dir():
            raise DefinitionError(f"there is no folder {needed}/", where=str(folder), hint=hint)
    return folder
