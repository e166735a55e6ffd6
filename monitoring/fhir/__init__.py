"""The laboratory's door in FHIR R4, at /fhir."""
