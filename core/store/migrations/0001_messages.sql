-- kind: 0 from user to user, 1 receipt, 2 to a room. state: 0 sent, 1 delivered, 2 read. date: ms since 1970 (UTC).
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    receiver TEXT NOT NULL,
    kind INTEGER NOT NULL,
    date INTEGER NOT NULL,
    content_type TEXT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    state INTEGER NOT NULL
) STRICT;

-- A new file does not give out the numbers of one that was lost or replaced: whoever remembers some misses nothing.
INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER));

CREATE UNIQUE INDEX messages_id ON messages (receiver, sender, id, kind);
CREATE INDEX messages_pending ON messages (receiver, seq) WHERE state = 0 AND kind < 2;
CREATE INDEX messages_history ON messages (conversation, seq) WHERE kind <> 1;
CREATE INDEX messages_date ON messages (date);

-- What a list of conversations needs of each user with each other one, so that it need not read them all. A row for each, and no
-- index more: a message changes pages that lie far from each other, and each of them is written.
CREATE TABLE conversations (
    user TEXT NOT NULL,
    partner TEXT NOT NULL,
    last INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    PRIMARY KEY (user, partner)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER messages_appended AFTER INSERT ON messages WHEN new.kind = 0
BEGIN
    INSERT INTO conversations (user, partner, last, unread) VALUES (new.sender, new.receiver, new.seq, 0)
        ON CONFLICT (user, partner) DO UPDATE SET last = excluded.last;
    INSERT INTO conversations (user, partner, last, unread) VALUES (new.receiver, new.sender, new.seq, 1)
        ON CONFLICT (user, partner) DO UPDATE SET last = excluded.last, unread = unread + 1;
END;

CREATE TRIGGER messages_read AFTER UPDATE OF state ON messages WHEN new.kind = 0 AND old.state < 2 AND new.state = 2
BEGIN
    UPDATE conversations SET unread = max(0, unread - 1) WHERE user = new.receiver AND partner = new.sender;
END;

-- The newest may go first, as the clock may have been put back: then the one before is the last.
CREATE TRIGGER messages_deleted AFTER DELETE ON messages WHEN old.kind = 0
BEGIN
    UPDATE conversations SET unread = max(0, unread - 1)
        WHERE user = old.receiver AND partner = old.sender AND old.state < 2;
    UPDATE conversations
        SET last = (SELECT coalesce(max(seq), 0) FROM messages WHERE conversation = old.conversation AND kind <> 1)
        WHERE last = old.seq
            AND (user, partner) IN (VALUES (old.sender, old.receiver), (old.receiver, old.sender));
    DELETE FROM conversations WHERE last = 0 AND user = old.sender AND partner = old.receiver;
    DELETE FROM conversations WHERE last = 0 AND user = old.receiver AND partner = old.sender;
END;
