-- A page is appended to what is staged, and put in the order of the ids when its run is whole. Who came is told by the marks of the
-- pages, so that of a member that did not change nothing more is kept.
ALTER TABLE staged ADD COLUMN page BIGINT NOT NULL DEFAULT 0;
DROP INDEX staged_of_run;
CREATE INDEX staged_by_page ON staged (run, page);
