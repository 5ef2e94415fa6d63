"""The extract's own dictionaries: what a CodeId stands for. Only codes that are used are looked up."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import pyarrow as pa

from casefinding.definitions.codes import id_fault
from casefinding.records import ethnic_codes
from casefinding.records.engine import Engine
from casefinding.records.sources.emis.files import File

_LOCAL = ("^", "EMIS", "ESCT", "EGTON", "ALLERGY", "FUNDHC", "JHCC", "RAFME", "PCSDT", "HNG", "TRISO")
"""How EMIS's own codes begin, in the column of Read codes (from endeavourhealth/Transforms)."""
_LOCAL_ENDS = ("KC60", "SHHAPT")
_READ = re.compile(r"([0-9A-Za-z]{1,5})\.*")
_READ_WITH_TERM = re.compile(r"([0-9A-Za-z.]{5})[0-9A-Za-z]{2}")
_OWN = re.compile(r"[0-9]+100000610[0-9]")
"""Concepts of EMIS's own namespace (1000006) of SNOMED CT, which no national list holds."""
_OF_FAMILY = re.compile(r"fh\b|fh:|family history|no fh|no family history|no relevant family", re.IGNORECASE)
_GROUPS = dict(zip("ABCDEFGHJKLMNPRS", ethnic_codes.SNOMED, strict=True)) | {"Z": ethnic_codes.UNKNOWN}
"""Ethnic category code of the NHS Data Dictionary -> group."""
_SAYS_GROUP = {(system, code): name for system, code, name in ethnic_codes.rows()}


def read_code(text: str | None) -> str | None:
    """The five bytes of a Read code (version 2) as EMIS writes it, or None: it may lack its points, and carry a term.

    >>> read_code("246..00"), read_code("G20"), read_code("H33-1"), read_code("EMISNQAC724"), read_code("^ESCT1234")
    ('246..', 'G20..', 'H33..', None, None)
    """
    code, _, end = (text or "").partition("-")
    if code.upper().startswith(_LOCAL) or end in _LOCAL_ENDS:
        return None
    with_term = _READ_WITH_TERM.fullmatch(code)
    code = with_term.group(1) if with_term else code
    found = _READ.fullmatch(code)
    return found.group(1).ljust(5, ".") if found and len(code) <= 5 else None


def clinical_code(code_id: str, concept: str | None, read: str | None) -> tuple[str, str]:
    """(system, code) of an entry of the dictionary: SNOMED CT, else Read version 2, else EMIS's own.

    >>> clinical_code("1", "38341003", "G20.."), clinical_code("2", None, "G20.."), clinical_code("3", "0", "EMISQ1")
    (('snomed', '38341003'), ('read2', 'G20..'), ('emis', '3'))
    """
    if concept and not id_fault("snomed", concept):
        return "snomed", concept
    five = read_code(read)
    return ("read2", five) if five else ("emis", _own(code_id, read))


def _own(code_id: str, other: str | None) -> str:
    """EMIS's id; what looks ruined by a spreadsheet gives way to EMIS's mnemonic, if there is one."""
    return other if other and id_fault("emis", code_id) and not id_fault("emis", other) else code_id


def install_clinical(engine: Engine, files: Mapping[int, File], used: Collection[str]) -> None:
    """Make `emis_code`: id, system, code, term, own (EMIS's alone), family (about relatives), ethnic (group or NULL).

    Needs the view `emis_clinical_all`; `used`: SELECTs of the ids that the entries name.
    """
    columns = ("Term", "SnomedCTConceptId", "ReadTermId", "NationalCode", "NationalCodeCategory")
    maybe = ("EmisCodeCategoryDescription",)
    found: list[dict[str, object]] = []
    for code_id, term, concept, read, national, of, category in _latest(
        engine, "emis_clinical_all", files, used, (*columns, *maybe)
    ):
        system, code = clinical_code(code_id, concept, read)
        letter = _GROUPS.get((national or "").upper()) if "ethnic" in (of or "").lower() else None
        found.append(
            {
                "id": code_id, "system": system, "code": code, "term": term,
                "own": system == "emis" or (system == "snomed" and _OWN.fullmatch(code) is not None),
                "family": bool(_OF_FAMILY.match(term or "") or (category or "").lower().startswith("family history")),
                "ethnic": _SAYS_GROUP.get((system, code), letter),
            }
        )  # fmt: skip
    text, truth = pa.string(), pa.bool_()
    schema = [("id", text), ("system", text), ("code", text), ("term", text), ("own", truth), ("family", truth)]
    engine.take("emis_code", pa.Table.from_pylist(found, pa.schema([*schema, ("ethnic", text)])))


def install_drugs(engine: Engine, files: Mapping[int, File], used: Collection[str]) -> None:
    """Make `emis_drug`: id, system, code, term: dm+d, else EMIS's own. Needs the view `emis_drug_all`."""
    found = []
    for code_id, term, product in _latest(engine, "emis_drug_all", files, used, ("Term", "DmdProductCodeId")):
        known = bool(product) and not id_fault("dmd", product)
        found.append((code_id, "dmd" if known else "emis", product if known else code_id, term))
    names = ("id", "system", "code", "term")
    columns = [pa.array([row[i] for row in found], pa.string()) for i in range(len(names))]
    engine.take("emis_drug", pa.table(columns, names=list(names)))


def _latest(
    engine: Engine, source: str, files: Mapping[int, File], used: Collection[str], columns: Collection[str]
) -> list[tuple]:
    """(CodeId, columns) of every code that is used, from the latest file that names it.

    The dictionaries come whole each time, so that this is the latest file; should one have come in part, its codes
    are not lost.
    """
    order = {number: place for place, number in enumerate(sorted(files, key=lambda n: (files[n].place, n)))}
    places = ", ".join(f"({number}, {place})" for number, place in order.items())
    cells = ", ".join(columns)
    return engine.rows(
        f"""WITH place(file, place) AS (VALUES {places}), used(CodeId) AS ({" UNION ".join(used)})
        SELECT CodeId, {cells} FROM {source} SEMI JOIN used USING (CodeId) JOIN place USING (file)
        QUALIFY row_number() OVER (PARTITION BY CodeId ORDER BY place DESC, {cells}) = 1 ORDER BY CodeId"""
    )
