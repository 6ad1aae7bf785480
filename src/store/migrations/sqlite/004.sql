-- What the ledger knows of one subject stands together: its destinations are served at about the same time, and then change
-- one page and not one each.
CREATE TABLE ledger_new (
  subject TEXT NOT NULL,
  destination TEXT NOT NULL,
  target TEXT NOT NULL,
  generation INTEGER NOT NULL,
  origin TEXT NOT NULL, -- the destination's name when the generation began: what a service was told outlives a rename
  receipt TEXT, -- JSON; NULL while nothing is known to be there
  event INTEGER NOT NULL, -- the latest that was delivered whole; 0 while there is none
  doubt INTEGER, -- since when a write may have landed of which nobody knows; NULL when all ends are known
  doubt_event INTEGER, -- the latest event that such a write was for
  PRIMARY KEY (subject, destination, target, generation),
  CHECK ((doubt IS NULL) = (doubt_event IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_new
  SELECT subject, destination, target, generation, origin, receipt, event, doubt, doubt_event FROM ledger
  ORDER BY subject, destination, target, generation;
DROP TABLE ledger;
ALTER TABLE ledger_new RENAME TO ledger;

-- The ledger itself tells the targets of a subject.
DROP TABLE target;

-- A token begins with its delivery's number, which finds it; whether a subject is under way is asked of every claim.
DROP INDEX delivery_under_way;
CREATE INDEX delivery_under_way ON delivery (destination, subject) WHERE token IS NOT NULL;
