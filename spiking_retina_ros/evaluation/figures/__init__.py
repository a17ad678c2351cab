"""The pictures of a report: each takes frozen results and writes one PNG."""
