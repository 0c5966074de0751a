"""What needs more than a shell: table statistics, the live line, the REST client and the demo.

The helpers read and print. They never decide: the shell scripts do.
"""
