-- Times are epoch milliseconds. Bodies have a table of their own, so that no list ever reads past one.

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  svix_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  subject TEXT NOT NULL,
  study TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('routed', 'unrouted', 'quarantined')),
  reason TEXT,
  received_at INTEGER NOT NULL,
  routes TEXT NOT NULL, -- a JSON list of names
  size INTEGER NOT NULL, -- bytes of the body as it was received
  UNIQUE (source, svix_id)
) STRICT;

CREATE INDEX event_subject ON event (subject);
CREATE INDEX event_study ON event (study);
CREATE INDEX event_astray ON event (state) WHERE state <> 'routed';

CREATE TABLE body (
  event INTEGER PRIMARY KEY REFERENCES event (id),
  zstd BLOB NOT NULL
) STRICT;

CREATE TABLE delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL REFERENCES event (id),
  destination TEXT NOT NULL,
  subject TEXT NOT NULL, -- of the event
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'discarded')),
  attempts INTEGER NOT NULL DEFAULT 0,
  strikes INTEGER NOT NULL DEFAULT 0, -- claims in a row that ended with no outcome
  due_at INTEGER,
  token TEXT, -- of the claim, while it is under way
  reason TEXT,
  detail TEXT,
  fix TEXT,
  url TEXT,
  UNIQUE (event, destination),
  CHECK ((state = 'pending') = (due_at IS NOT NULL)),
  CHECK (token IS NULL OR state = 'pending')
) STRICT;

CREATE INDEX delivery_destination ON delivery (destination);
CREATE INDEX delivery_unsettled ON delivery (state) WHERE state <> 'delivered';
-- What a claim walks, in its order: a row leaves it when it is claimed.
CREATE INDEX delivery_due ON delivery (destination, due_at) WHERE state = 'pending' AND token IS NULL;
-- The oldest event that waits for a destination.
CREATE INDEX delivery_pending ON delivery (destination, event) WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_under_way ON delivery (token) WHERE token IS NOT NULL;

-- How many deliveries of a destination are pending, kept by triggers: counting a million rows would stall the relay.
CREATE TABLE backlog (
  destination TEXT PRIMARY KEY,
  pending INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_added AFTER INSERT ON delivery WHEN new.state = 'pending' BEGIN
  INSERT INTO backlog VALUES (new.destination, 1) ON CONFLICT DO UPDATE SET pending = pending + 1;
END;

CREATE TRIGGER delivery_changed AFTER UPDATE OF state, destination ON delivery
WHEN old.state <> new.state OR old.destination <> new.destination BEGIN
  UPDATE backlog SET pending = pending - 1 WHERE old.state = 'pending' AND destination = old.destination;
  INSERT INTO backlog SELECT new.destination, 1 WHERE new.state = 'pending'
    ON CONFLICT DO UPDATE SET pending = pending + 1;
END;

CREATE TRIGGER delivery_removed AFTER DELETE ON delivery WHEN old.state = 'pending' BEGIN
  UPDATE backlog SET pending = pending - 1 WHERE destination = old.destination;
END;

CREATE TABLE ledger (
  destination TEXT NOT NULL,
  target TEXT NOT NULL,
  subject TEXT NOT NULL,
  generation INTEGER NOT NULL,
  receipt TEXT NOT NULL, -- JSON
  event INTEGER NOT NULL, -- the latest that was delivered whole; 0 while there is only a checkpoint
  PRIMARY KEY (destination, target, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE lane (
  destination TEXT PRIMARY KEY,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  halt_reason TEXT,
  halt_detail TEXT,
  halt_fix TEXT,
  halt_since INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE paused_key (
  key TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row, written to prove that a commit is possible.
CREATE TABLE ping (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL
) STRICT;

INSERT INTO ping VALUES (1, 0);
