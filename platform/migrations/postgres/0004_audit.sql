-- The audit is read by pages, in the order in which it was written.
CREATE TABLE audit_in_order (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    tenant TEXT,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT
);
INSERT INTO audit_in_order (at, tenant, actor, what, subject, detail)
    SELECT at, tenant, actor, what, subject, detail FROM audit ORDER BY at;
DROP TABLE audit;
ALTER TABLE audit_in_order RENAME TO audit;
CREATE INDEX audit_of_tenant ON audit (tenant, place);
