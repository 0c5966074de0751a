"""Everything of the assets backup that looks or talks: statistics, sample data, demonstration.

The helpers read and print; the shell scripts decide and move the bytes.
"""
