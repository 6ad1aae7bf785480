-- The ledger keeps doubts beside receipts, and a row for each generation.
CREATE TABLE ledger_new (
  destination TEXT NOT NULL,
  target TEXT NOT NULL,
  subject TEXT NOT NULL,
  generation INTEGER NOT NULL,
  origin TEXT NOT NULL, -- the destination's name when the generation began: what a service was told outlives a rename
  receipt TEXT, -- JSON; NULL while nothing is known to be there
  event INTEGER NOT NULL, -- the latest that was delivered whole; 0 while there is none
  doubt INTEGER, -- since when a write may have landed of which nobody knows; NULL when all ends are known
  doubt_event INTEGER, -- the latest event that such a write was for
  PRIMARY KEY (destination, target, subject, generation),
  CHECK ((doubt IS NULL) = (doubt_event IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_new
  SELECT destination, target, subject, generation, destination, receipt, event, NULL, NULL FROM ledger;
DROP TABLE ledger;
ALTER TABLE ledger_new RENAME TO ledger;

-- The targets that a destination has had: a place that was only renamed is known again.
CREATE TABLE target (
  destination TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (destination, name)
) STRICT, WITHOUT ROWID;

INSERT INTO target SELECT DISTINCT destination, target FROM ledger;

-- How long the pause was when it was kept, milliseconds: a clock that is set back must not stretch it.
ALTER TABLE paused_key ADD COLUMN length INTEGER NOT NULL DEFAULT 86400000;

-- The next claim starts a generation.
ALTER TABLE delivery ADD COLUMN renew INTEGER NOT NULL DEFAULT 0 CHECK (renew IN (0, 1));
-- What a verb asked for while the delivery was under way; its end applies it.
ALTER TABLE delivery ADD COLUMN wish TEXT CHECK (wish IN ('retry', 'replay', 'discard'));

-- One row: what the wall clock last showed, about to the second. It finds out when the clock was set back.
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last INTEGER NOT NULL
) STRICT;

INSERT INTO clock VALUES (1, 0);
