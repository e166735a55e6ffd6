"""Results in tables: CSV and XLSX files, read by the layout that a laboratory's profile states."""
