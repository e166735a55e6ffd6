"""The laboratory's door for HL7 v2: over HTTP, and over MLLP for those who have nothing else."""
