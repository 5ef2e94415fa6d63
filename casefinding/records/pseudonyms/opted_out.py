"""Where each kind of extract says that somebody opted out: from its own codes to dissent and withdrawal."""

from __future__ import annotations

from collections.abc import Callable

from casefinding.errors import RecordsError
from casefinding.records.pseudonyms.files_in import Folder, Source
from casefinding.records.pseudonyms.opt_outs import Decisions, says
from casefinding.records.pseudonyms.survey import cell_of, entries
from casefinding.records.pseudonyms.treatments import day_of

Said = Callable[[Source], Callable[[list[str]], "str | None"]]


def read_decisions(folder: Folder, tick: Callable[[str], None]) -> Decisions:
    """Every entry of an extract about a Type 1 opt-out that still stands.

    Raises RecordsError if a table without which nobody can tell is not there.
    """
    decisions = Decisions()
    table, entry_id, gone, day, said = {
        "emis": ("CareRecord_Observation", ("organisationguid", "observationguid"), "deleted", "effectivedate", _emis),
        "systmone": ("SRCode", ("rowidentifier",), "removeddata", "dateevent", _systmone),
        "native": ("event", (), "deleted", "happened_on", _native),
        "omop": ("observation", (), "deleted", "observation_date", _omop),
    }[folder.kind]
    sources = folder.of(table)
    if not sources:
        raise _nobody_can_tell(table)
    what = said(folder)
    for source in sources:
        tick(source.name)
    for whose, source, cells, one in entries(sources, entry_id, gone, what):
        decisions.add(whose, day_of(cell_of(source, day)(cells)), one)
    return decisions


def _nobody_can_tell(table: str) -> RecordsError:
    return RecordsError(
        f"the table '{table}' is missing: without it nobody can tell who opted out",
        hint="export it as well; for direct care, where no opt-out applies, say --flow direct-care",
    )


def _emis(folder: Folder) -> Said:
    """EMIS: the code of an observation is a number that Coding_ClinicalCode explains."""
    sources = folder.of("Coding_ClinicalCode")
    if not sources:
        raise _nobody_can_tell("Coding_ClinicalCode")
    meant: dict[str, str] = {}
    for source in sources:
        own, snomed = cell_of(source, "codeid"), cell_of(source, "snomedctconceptid")
        read = cell_of(source, "readtermid")
        for cells in source.rows():
            said = says("snomed", snomed(cells)) or says("read2", read(cells))
            if said:
                meant[own(cells)] = said

    def of(source: Source):
        code = cell_of(source, "codeid")
        return lambda cells: meant.get(code(cells))

    return of


def _systmone(folder: Folder) -> Said:
    """SystmOne: a SNOMED CT or CTV3 code of its own, or a CTV3 code that SRCtv3ToSnomed explains."""
    meant: dict[str, str] = {}
    for source in folder.of("SRCtv3ToSnomed"):
        ctv3, snomed = cell_of(source, "ctv3code"), cell_of(source, "snomedcode")
        for cells in source.rows():
            said = says("snomed", snomed(cells))
            if said:
                meant[ctv3(cells)] = said

    def of(source: Source):
        snomed, ctv3 = cell_of(source, "snomedcode"), cell_of(source, "ctv3code")
        return lambda cells: says("snomed", snomed(cells)) or says("ctv3", ctv3(cells)) or meant.get(ctv3(cells))

    return of


def _native(_folder: Folder) -> Said:
    from casefinding.records.cells import SYSTEMS

    named = {spelling: system for system, spellings in SYSTEMS.items() for spelling in spellings}

    def of(source: Source):
        system, code = cell_of(source, "system"), cell_of(source, "code")
        return lambda cells: says(named.get(system(cells).lower(), system(cells).lower()), code(cells))

    return of


def _omop(folder: Folder) -> Said:
    """OMOP: a concept that the concept table explains, or the source value."""
    meant: dict[str, str] = {}
    for source in folder.of("concept"):
        own, code = cell_of(source, "concept_id"), cell_of(source, "concept_code")
        for cells in source.rows():
            said = says("snomed", code(cells))
            if said:
                meant[own(cells)] = said

    def of(source: Source):
        concept = cell_of(source, "observation_concept_id")
        own, value = cell_of(source, "observation_source_concept_id"), cell_of(source, "observation_source_value")

        def what(cells: list[str]) -> str | None:
            return meant.get(concept(cells)) or meant.get(own(cells)) or says("snomed", value(cells))

        return what

    return of
