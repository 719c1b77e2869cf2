"""OpenSubsonic under /rest, so that existing players can use the library.

The protocol: https://opensubsonic.netlify.app. Errors are numbers in an envelope with HTTP status 200.
"""
