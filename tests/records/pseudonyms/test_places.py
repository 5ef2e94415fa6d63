"""Of an address only the small area and its decile go out, with the vintage that the decile was taken from."""

import json

import pytest
from conftest_of_pseudonyms import bundle, emis_name, read, write_bundle, write_emis, write_systmone

from casefinding.errors import UsageError
from casefinding.records.pseudonyms.places import read_places

IOD = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"


@pytest.fixture
def files(tmp_path):
    postcodes, deprivation = tmp_path / "onspd.csv", tmp_path / "iod.csv"
    postcodes.write_text("pcd,pcds,ctry,lsoa11cd,lsoa21cd\nZZ9 3AB,ZZ99 3AB,E,E01000001,E01033001\n")
    deprivation.write_text(f'LSOA code (2011),LSOA name (2011),"{IOD}"\nE01000001,Somewhere,3\nE01000002,Else,10\n')
    return {"postcodes": postcodes, "deprivation": deprivation, "vintage": "2019"}


def test_emis_systmone_and_fhir_get_the_area_the_decile_and_the_vintage(tmp_path, run, files):
    expected, files = ("E01000001", "3", "2019"), {**files, "keep_small_area": True}
    out = run("emis", write_emis(tmp_path / "in"), **files)
    first = read(out / emis_name("Admin_Patient"))[0]
    assert (first["Lsoa"], first["ImdDecile"], first["ImdVintage"], first["Postcode"]) == (*expected, "")
    assert json.loads((out / "manifest.json").read_text())["deprivation vintage"] == "2019"
    people = read(run("systmone", write_systmone(tmp_path / "s"), **files) / "SRPatient.csv", "cp1252")
    assert [(one["Lsoa"], one["ImdDecile"], one["ImdVintage"]) for one in people] == [expected, ("", "", "")]
    made = run("fhir", write_bundle(tmp_path / "f" / "a.json", bundle()), **files)
    patient = json.loads((made / "bundle-00001.json").read_text())["entry"][0]["resource"]
    assert tuple(one["valueString"] for one in patient["extension"]) == expected


def test_without_being_asked_the_decile_goes_out_alone(tmp_path, run, files):
    first = read(run("emis", write_emis(tmp_path / "in"), **files) / emis_name("Admin_Patient"))[0]
    assert (first["Lsoa"], first["ImdDecile"], first["ImdVintage"]) == ("", "3", "2019")


def test_the_boundaries_are_those_that_the_deciles_follow(files):
    places = read_places(files["postcodes"], files["deprivation"], "2019", {"zz993ab"})
    assert (places.census, places.home("ZZ99 3AB").lsoa) == ("2011", "E01000001")
    files["deprivation"].write_text(f'LSOA code (2021),"{IOD}"\nE01033001,7\n')
    places = read_places(files["postcodes"], files["deprivation"], "2025", {"ZZ99 3AB"})
    assert (places.census, places.home("ZZ993AB").decile) == ("2021", "7")
    assert read_places(files["postcodes"], None, "", {"ZZ99 3AB"}).home("ZZ99 3AB").lsoa == "E01033001"


def test_vintages_that_do_not_meet_are_said_with_the_share(files):
    files["postcodes"].write_text("pcds,lsoa21cd\nZZ99 3AB,E01033001\n")
    said = " ".join(read_places(files["postcodes"], files["deprivation"], "2019", {"ZZ99 3AB", "ZZ99 3AD"}).said())
    assert "50.0% of 2 postcodes found" in said
    assert "0.0% of their small areas" in said
    assert "do not meet" in said


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"vintage": ""}, "of which year"),
        ({"postcodes": None}, "needs a file of postcodes"),
        ({"postcodes": "code,area\n1,2\n"}, "lacks a column"),
        ({"deprivation": "area,decile\n1,2\n"}, "lacks a column"),
        ({"deprivation": "lsoa code (2011),decile\nE01000001,11\n"}, "not 1 to 10"),
        ({"deprivation": ""}, "is empty"),
    ],
)
def test_lookup_files_that_cannot_serve_are_refused(tmp_path, files, change, what):
    for name, content in change.items():
        if name == "vintage" or content is None:
            files[name] = content
        else:
            files[name].write_text(content)
    with pytest.raises(UsageError, match=what):
        read_places(files["postcodes"], files["deprivation"], files["vintage"] or "", {"ZZ99 3AB"})
