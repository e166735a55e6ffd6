"""HL7 v2: messages of results (ORU^R01) become reports of draws; pure, for any door."""
