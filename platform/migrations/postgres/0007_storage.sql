-- What a page delivered is compressed already, and marks are hashes: the server does not try to make them smaller.
ALTER TABLE pages ALTER COLUMN members SET STORAGE EXTERNAL;
ALTER TABLE pages ALTER COLUMN marks SET STORAGE EXTERNAL;
