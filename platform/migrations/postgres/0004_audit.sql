-- The audit is read by pages, in the order in which it was written.
ALTER TABLE audit ADD COLUMN place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
DROP INDEX audit_of_tenant;
CREATE INDEX audit_of_tenant ON audit (tenant, place);
