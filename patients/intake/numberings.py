"""Which numbers beside a patient's name are none of a patient: HL7 table 0203.

One authority often numbers patients, visits and accounts alike; a visit's number read as a
patient's would put a result on another chart.
"""

_OF_VISITS_AND_ORDERS = {"VN", "AN", "ANC", "AND", "ANT", "ACSN", "FILL", "PLAC", "GN", "GI", "SNO"}
_OF_PAPERS_AND_PAYERS = {"SS", "DL", "DS", "PPN", "TAX", "BA", "BC", "CC", "CZ", "BCT", "VS"}
_OF_STAFF_AND_PLACES = {"EN", "EI", "DN", "DR", "LN", "NPI", "PRN", "PRC", "FI", "XX", "XV", "DEA"}
_OF_OTHERS = _OF_VISITS_AND_ORDERS | _OF_PAPERS_AND_PAYERS | _OF_STAFF_AND_PLACES


def is_of_patient(kind: str) -> bool:
    """Tell whether a number of this kind may be a patient's; one that says no kind may."""
    return kind.strip().upper() not in _OF_OTHERS
