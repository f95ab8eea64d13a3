#!/bin/sh
# Stands in for rtcd in a comparison: the reference server.
exec "$RTEST" echo -l 127.0.0.1:0
