"""FHIR R4 as laboratories send it: from bytes to reports and back; pure, so any door can use it."""
