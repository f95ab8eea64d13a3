//! Chat rooms: SUBSCRIBE joins, MESSAGE fans out; with the HTTP API chatroom.v1.
