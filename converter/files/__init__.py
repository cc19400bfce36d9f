"""Files, read so that a hostile one can do no harm: regular files, memory maps, strict JSON, bounded protobuf.

Above `common`, below everything that opens or fetches.
"""
