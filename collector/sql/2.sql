-- Schema 2: devices that enrol themselves. `digest` stands for a claim and its site; the claim itself is not here.
-- `device` is who used it: set once, by the transaction that wins. `refused` counts who came after.
CREATE TABLE claim (
  digest BYTES PRIMARY KEY, name TEXT NOT NULL, expires_ms BIGINT NOT NULL,
  device BYTES, used_ms BIGINT, refused BIGINT NOT NULL DEFAULT 0
);

INSERT INTO schema_version (version) VALUES (2);
