-- By age, and before that by whether it waits for its receiver (1) or for nobody (0): what makes room is found at once, however much waits.
DROP INDEX messages_date;
CREATE INDEX messages_age ON messages ((state = 0 AND kind < 2), date);

-- About how many bytes a message takes as long as it waits: its texts, and its names again in the indexes; `waiting_bytes` of NewMessage says
-- the same. (`octet_length` would do too, but the `sqlite3` of many systems does not know it.)
ALTER TABLE messages ADD COLUMN waiting_bytes INTEGER NOT NULL GENERATED ALWAYS AS (
    256 + 4 * (length(CAST(id AS BLOB)) + length(CAST(sender AS BLOB)) + length(CAST(receiver AS BLOB)))
    + coalesce(length(CAST(content_type AS BLOB)), 0) + length(CAST(headers AS BLOB)) + length(CAST(body AS BLOB))
) VIRTUAL;

-- How many bytes of each sender wait, of each kind, for all receivers together; and of all senders and kinds, who is called '' (kind 0).
CREATE TABLE waiting (
    sender TEXT NOT NULL,
    kind INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (sender, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO waiting (sender, kind, bytes)
    SELECT sender, kind, sum(waiting_bytes)
    FROM messages INDEXED BY messages_pending WHERE state = 0 AND kind < 2 GROUP BY sender, kind;
INSERT INTO waiting (sender, kind, bytes) SELECT '', 0, coalesce(sum(bytes), 0) FROM waiting;

CREATE TRIGGER waiting_appended AFTER INSERT ON messages WHEN new.state = 0 AND new.kind < 2
BEGIN
    INSERT INTO waiting (sender, kind, bytes) VALUES ('', 0, new.waiting_bytes), (new.sender, new.kind, new.waiting_bytes)
        ON CONFLICT (sender, kind) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER waiting_delivered AFTER UPDATE OF state ON messages WHEN old.state = 0 AND new.state > 0 AND new.kind < 2
BEGIN
    UPDATE waiting SET bytes = bytes - old.waiting_bytes WHERE (sender, kind) IN (VALUES ('', 0), (old.sender, old.kind));
    DELETE FROM waiting WHERE sender = old.sender AND kind = old.kind AND bytes <= 0;
END;

CREATE TRIGGER waiting_deleted AFTER DELETE ON messages WHEN old.state = 0 AND old.kind < 2
BEGIN
    UPDATE waiting SET bytes = bytes - old.waiting_bytes WHERE (sender, kind) IN (VALUES ('', 0), (old.sender, old.kind));
    DELETE FROM waiting WHERE sender = old.sender AND kind = old.kind AND bytes <= 0;
END;
