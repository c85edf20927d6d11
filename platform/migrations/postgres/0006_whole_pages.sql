-- What a page delivered is one value, which the end of its run takes apart. A run that is not over has none for its pages so far, and
-- begins again. An earlier version that has a run goes on with `staged`, which a later migration drops.
LOCK TABLE runs IN EXCLUSIVE MODE;
ALTER TABLE pages ADD COLUMN members BYTEA;
UPDATE runs SET provenance = NULL WHERE state NOT IN ('complete', 'failed');
