"""What a shell cannot do well: table statistics, the progress line, the REST client, the demo.

The helpers read and print. The shell scripts decide.
"""

# pyproject.toml and the scripts read it here.
__version__ = "0.1.0"
