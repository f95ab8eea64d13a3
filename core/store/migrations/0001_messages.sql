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

CREATE UNIQUE INDEX messages_id ON messages (receiver, sender, id);
CREATE INDEX messages_pending ON messages (receiver, seq) WHERE state = 0 AND kind < 2;
CREATE INDEX messages_unread ON messages (receiver, sender) WHERE state < 2 AND kind = 0;
CREATE INDEX messages_history ON messages (conversation, seq) WHERE kind <> 1;
CREATE INDEX messages_date ON messages (date);

-- The newest message of each user with each other one, so that a list of conversations need not read them all.
CREATE TABLE conversations (
    user TEXT NOT NULL,
    partner TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (user, partner)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_last ON conversations (user, last);

CREATE TRIGGER messages_appended AFTER INSERT ON messages WHEN new.kind = 0
BEGIN
    INSERT INTO conversations (user, partner, last) VALUES (new.sender, new.receiver, new.seq)
        ON CONFLICT (user, partner) DO UPDATE SET last = excluded.last;
    INSERT INTO conversations (user, partner, last) VALUES (new.receiver, new.sender, new.seq)
        ON CONFLICT (user, partner) DO UPDATE SET last = excluded.last;
END;

CREATE TRIGGER messages_deleted AFTER DELETE ON messages WHEN old.kind = 0
BEGIN
    DELETE FROM conversations WHERE user IN (old.sender, old.receiver) AND last = old.seq;
END;
