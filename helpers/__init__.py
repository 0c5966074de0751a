"""What a shell cannot do well: table statistics, the progress line, the REST client, the demo.

The helpers read and print. The shell scripts decide.
"""
