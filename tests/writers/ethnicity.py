"""The 16+1 ethnic categories of the 2001 census (NHS Data Dictionary, ETHNIC CATEGORY) as coded entries.

SNOMED CT concepts: the primary care list "eth2001" (as published in opensafely/long-covid, codelists/); CTV3 codes:
TppEthnicityMap.csv of endeavourhealth/Transforms.
"""

from __future__ import annotations

# letter | SNOMED CT | CTV3 | term | how the native layout may write it
_ROWS = """
A|92391000000108|XaJQv|British or mixed British - ethnic category 2001 census|White British
B|92401000000106|XaJQw|Irish - ethnic category 2001 census|White Irish
C|92411000000108|XaJQx|Other White background - ethnic category 2001 census|Other White
D|92421000000102|XaJQy|White and Black Caribbean - ethnic category 2001 census|White and Black Caribbean
E|92431000000100|XaJQz|White and Black African - ethnic category 2001 census|White and Black African
F|92441000000109|XaJR0|White and Asian - ethnic category 2001 census|White and Asian
G|92451000000107|XaJR1|Other Mixed background - ethnic category 2001 census|Other Mixed
H|110751000000108|XaJR2|Indian or British Indian - ethnic category 2001 census|Indian
J|92461000000105|XaJR3|Pakistani or British Pakistani - ethnic category 2001 census|Pakistani
K|92471000000103|XaJR4|Bangladeshi or British Bangladeshi - ethn categ 2001 census|Bangladeshi
L|92481000000101|XaJR5|Other Asian background - ethnic category 2001 census|Other Asian
M|107691000000105|XaJR6|Caribbean - ethnic category 2001 census|Caribbean
N|92491000000104|XaJR7|African - ethnic category 2001 census|African
P|92501000000105|XaJR8|Other Black background - ethnic category 2001 census|Other Black
R|92511000000107|XaJR9|Chinese - ethnic category 2001 census|Chinese
S|92521000000101|XaJRA|Other - ethnic category 2001 census|Any other ethnic group
Z|92531000000104|XaJRB|Ethnic category not stated - 2001 census|Not stated
"""
CATEGORIES = tuple(tuple(line.split("|")) for line in _ROWS.strip().splitlines())
"""(letter, SNOMED CT concept, CTV3 code, term, native text)."""
