"""What a shell cannot do well: table statistics, the progress line, the REST client, the demo.

The helpers read and print; fetching also decides, after a lost connection, whether the fetch has
succeeded. The shell scripts decide everything else.
"""

# pyproject.toml and the scripts read it here.
__version__ = "0.1.0"
