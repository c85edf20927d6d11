-- What few members have is found without reading the whole list. What most have is found by the list itself.
CREATE INDEX members_status ON members (connection, until, present, status, sort, id) WHERE status <> 'active';
CREATE INDEX members_kind ON members (connection, until, present, kind, sort, id) WHERE kind <> 'person';
CREATE INDEX members_affiliation ON members (connection, until, present, affiliation, sort, id) WHERE affiliation <> 'managed';
