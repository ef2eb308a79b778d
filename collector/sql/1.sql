-- Schema 1. One text for SQLite and PostgreSQL: BYTES is replaced by BLOB or BYTEA, everything else is common ground.
-- Times of the past are (boot, milliseconds since that boot); wall time is worked out on reading, from `anchor`.

CREATE TABLE schema_version (version BIGINT NOT NULL);

-- Who may deliver. `public` is the Ed25519 key whose hash is `device`.
CREATE TABLE device (
  device BYTES PRIMARY KEY, name TEXT NOT NULL, public BYTES NOT NULL,
  revoked BIGINT NOT NULL DEFAULT 0, seen_ms BIGINT NOT NULL DEFAULT 0
);

-- One unbroken numbering of a device. All numbers up to `through` are in the ledger, were, or are explained by a gap.
-- Rows up to `forgotten` were dropped from the ledger: whatever comes again with such a number was counted.
-- `last` is set when the device said that the stream ended there.
CREATE TABLE stream (
  device BYTES NOT NULL, stream BYTES NOT NULL, through BIGINT NOT NULL DEFAULT -1, forgotten BIGINT NOT NULL DEFAULT -1,
  last BIGINT, PRIMARY KEY (device, stream)
);

-- The memory of what has been counted. status: 0 sealed (not opened yet), 1 applied, 2 set aside.
CREATE TABLE ledger (
  device BYTES NOT NULL, stream BYTES NOT NULL, seq BIGINT NOT NULL, digest BYTES NOT NULL, kind BIGINT NOT NULL,
  boot BYTES NOT NULL, boot_ms BIGINT NOT NULL, received_ms BIGINT NOT NULL, status BIGINT NOT NULL,
  PRIMARY KEY (device, stream, seq)
);

-- Envelopes that wait for the opening tier, as they came.
CREATE TABLE sealed (
  device BYTES NOT NULL, stream BYTES NOT NULL, seq BIGINT NOT NULL, envelope BYTES NOT NULL, received_ms BIGINT NOT NULL,
  PRIMARY KEY (device, stream, seq)
);
CREATE INDEX sealed_by_arrival ON sealed (received_ms);

-- Other bytes under a number that is taken: a cloned identity. Both are kept.
CREATE TABLE conflict (
  device BYTES NOT NULL, stream BYTES NOT NULL, seq BIGINT NOT NULL, digest BYTES NOT NULL,
  envelope BYTES NOT NULL, received_ms BIGINT NOT NULL, PRIMARY KEY (device, stream, seq, digest)
);

-- What does not verify or does not open, with the reason; by digest, so that a repetition is not kept twice.
CREATE TABLE quarantine (
  digest BYTES PRIMARY KEY, device BYTES NOT NULL, reason TEXT NOT NULL, envelope BYTES NOT NULL, received_ms BIGINT NOT NULL
);

-- Numbers that will not come, as the device said.
CREATE TABLE gap (
  device BYTES NOT NULL, stream BYTES NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (device, stream, first, last)
);

-- Short numbers for long names.
CREATE TABLE place (
  place BIGINT PRIMARY KEY, device BYTES NOT NULL, site TEXT NOT NULL, camera TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  UNIQUE (device, site, camera, kind, name)
);
CREATE TABLE boot (boot BIGINT PRIMARY KEY, device BYTES NOT NULL, tag BYTES NOT NULL, UNIQUE (device, tag));

-- Moments at which a boot clock and a wall clock were read together.
CREATE TABLE anchor (
  boot BIGINT NOT NULL, boot_ms BIGINT NOT NULL, wall_ms BIGINT NOT NULL, quality BIGINT NOT NULL, error_ms BIGINT NOT NULL,
  PRIMARY KEY (boot, boot_ms, wall_ms, quality)
);

-- What envelopes say of their clocks in passing: by the hour, the least distance between wall clock and boot clock.
CREATE TABLE stamp (
  boot BIGINT NOT NULL, hour_ms BIGINT NOT NULL, quality BIGINT NOT NULL, offset_ms BIGINT NOT NULL,
  PRIMARY KEY (boot, hour_ms, quality)
);

-- Integer sums. Rows of equal key add up (maxima stay maxima), so that order and repetition of arrival do not matter.
CREATE TABLE line_window (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  entries BIGINT NOT NULL, exits BIGINT NOT NULL,
  provisional_entries BIGINT NOT NULL, provisional_exits BIGINT NOT NULL,
  staff_entries BIGINT NOT NULL, staff_exits BIGINT NOT NULL,
  ambiguous BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);
CREATE TABLE zone_window (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  entries BIGINT NOT NULL, exits BIGINT NOT NULL,
  occupancy_ms BIGINT NOT NULL, occupancy_max BIGINT NOT NULL,
  dwell_ms BIGINT NOT NULL,
  dwell_0 BIGINT NOT NULL DEFAULT 0, dwell_1 BIGINT NOT NULL DEFAULT 0, dwell_2 BIGINT NOT NULL DEFAULT 0, dwell_3 BIGINT NOT NULL DEFAULT 0,
  dwell_4 BIGINT NOT NULL DEFAULT 0, dwell_5 BIGINT NOT NULL DEFAULT 0, dwell_6 BIGINT NOT NULL DEFAULT 0, dwell_7 BIGINT NOT NULL DEFAULT 0,
  dwell_8 BIGINT NOT NULL DEFAULT 0, dwell_9 BIGINT NOT NULL DEFAULT 0, dwell_10 BIGINT NOT NULL DEFAULT 0, dwell_11 BIGINT NOT NULL DEFAULT 0,
  dwell_12 BIGINT NOT NULL DEFAULT 0, dwell_13 BIGINT NOT NULL DEFAULT 0, dwell_14 BIGINT NOT NULL DEFAULT 0, dwell_15 BIGINT NOT NULL DEFAULT 0,
  wait_ms BIGINT NOT NULL, wait_max_ms BIGINT NOT NULL,
  wait_0 BIGINT NOT NULL DEFAULT 0, wait_1 BIGINT NOT NULL DEFAULT 0, wait_2 BIGINT NOT NULL DEFAULT 0, wait_3 BIGINT NOT NULL DEFAULT 0,
  wait_4 BIGINT NOT NULL DEFAULT 0, wait_5 BIGINT NOT NULL DEFAULT 0, wait_6 BIGINT NOT NULL DEFAULT 0, wait_7 BIGINT NOT NULL DEFAULT 0,
  wait_8 BIGINT NOT NULL DEFAULT 0, wait_9 BIGINT NOT NULL DEFAULT 0, wait_10 BIGINT NOT NULL DEFAULT 0, wait_11 BIGINT NOT NULL DEFAULT 0,
  wait_12 BIGINT NOT NULL DEFAULT 0, wait_13 BIGINT NOT NULL DEFAULT 0, wait_14 BIGINT NOT NULL DEFAULT 0, wait_15 BIGINT NOT NULL DEFAULT 0,
  served BIGINT NOT NULL, abandoned BIGINT NOT NULL,
  staff_entries BIGINT NOT NULL, staff_exits BIGINT NOT NULL, staff_dwell_ms BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);
CREATE TABLE camera_window (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  observed_ms BIGINT NOT NULL, blind_ms BIGINT NOT NULL,
  frames BIGINT NOT NULL, dropped_frames BIGINT NOT NULL,
  ambiguous BIGINT NOT NULL, births BIGINT NOT NULL, births_inside BIGINT NOT NULL,
  relinked BIGINT NOT NULL, still BIGINT NOT NULL, voided BIGINT NOT NULL, drift BIGINT NOT NULL, fallback_frames BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);

-- The same sums by the hour of the boot clock, as the device rolled them up: second book, and all that is left after a long outage.
CREATE TABLE line_hour (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  end_ms BIGINT NOT NULL,
  entries BIGINT NOT NULL, exits BIGINT NOT NULL,
  provisional_entries BIGINT NOT NULL, provisional_exits BIGINT NOT NULL,
  staff_entries BIGINT NOT NULL, staff_exits BIGINT NOT NULL,
  ambiguous BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);
CREATE TABLE zone_hour (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  end_ms BIGINT NOT NULL,
  entries BIGINT NOT NULL, exits BIGINT NOT NULL,
  occupancy_ms BIGINT NOT NULL, occupancy_max BIGINT NOT NULL,
  dwell_ms BIGINT NOT NULL,
  dwell_0 BIGINT NOT NULL DEFAULT 0, dwell_1 BIGINT NOT NULL DEFAULT 0, dwell_2 BIGINT NOT NULL DEFAULT 0, dwell_3 BIGINT NOT NULL DEFAULT 0,
  dwell_4 BIGINT NOT NULL DEFAULT 0, dwell_5 BIGINT NOT NULL DEFAULT 0, dwell_6 BIGINT NOT NULL DEFAULT 0, dwell_7 BIGINT NOT NULL DEFAULT 0,
  dwell_8 BIGINT NOT NULL DEFAULT 0, dwell_9 BIGINT NOT NULL DEFAULT 0, dwell_10 BIGINT NOT NULL DEFAULT 0, dwell_11 BIGINT NOT NULL DEFAULT 0,
  dwell_12 BIGINT NOT NULL DEFAULT 0, dwell_13 BIGINT NOT NULL DEFAULT 0, dwell_14 BIGINT NOT NULL DEFAULT 0, dwell_15 BIGINT NOT NULL DEFAULT 0,
  wait_ms BIGINT NOT NULL, wait_max_ms BIGINT NOT NULL,
  wait_0 BIGINT NOT NULL DEFAULT 0, wait_1 BIGINT NOT NULL DEFAULT 0, wait_2 BIGINT NOT NULL DEFAULT 0, wait_3 BIGINT NOT NULL DEFAULT 0,
  wait_4 BIGINT NOT NULL DEFAULT 0, wait_5 BIGINT NOT NULL DEFAULT 0, wait_6 BIGINT NOT NULL DEFAULT 0, wait_7 BIGINT NOT NULL DEFAULT 0,
  wait_8 BIGINT NOT NULL DEFAULT 0, wait_9 BIGINT NOT NULL DEFAULT 0, wait_10 BIGINT NOT NULL DEFAULT 0, wait_11 BIGINT NOT NULL DEFAULT 0,
  wait_12 BIGINT NOT NULL DEFAULT 0, wait_13 BIGINT NOT NULL DEFAULT 0, wait_14 BIGINT NOT NULL DEFAULT 0, wait_15 BIGINT NOT NULL DEFAULT 0,
  served BIGINT NOT NULL, abandoned BIGINT NOT NULL,
  staff_entries BIGINT NOT NULL, staff_exits BIGINT NOT NULL, staff_dwell_ms BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);
CREATE TABLE camera_hour (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, start_ms BIGINT NOT NULL, length_ms BIGINT NOT NULL,
  parts BIGINT NOT NULL,               -- windows summed into this row: 1, or a roll-up's number of windows
  end_ms BIGINT NOT NULL,
  observed_ms BIGINT NOT NULL, blind_ms BIGINT NOT NULL,
  frames BIGINT NOT NULL, dropped_frames BIGINT NOT NULL,
  ambiguous BIGINT NOT NULL, births BIGINT NOT NULL, births_inside BIGINT NOT NULL,
  relinked BIGINT NOT NULL, still BIGINT NOT NULL, voided BIGINT NOT NULL, drift BIGINT NOT NULL, fallback_frames BIGINT NOT NULL,
  PRIMARY KEY (place, boot, start_ms, length_ms)
);

-- What the disclosure level let out about single crossings and visits; removed after the retention time.
CREATE TABLE event (
  place BIGINT NOT NULL, boot BIGINT NOT NULL, t_ms BIGINT NOT NULL, device BYTES NOT NULL, stream BYTES NOT NULL, seq BIGINT NOT NULL,
  position BIGINT NOT NULL, said TEXT NOT NULL, received_ms BIGINT NOT NULL,
  PRIMARY KEY (device, stream, seq, position)
);
CREATE INDEX event_by_place ON event (place, boot, t_ms);
CREATE INDEX event_by_arrival ON event (received_ms);

-- The last health each device sent.
CREATE TABLE health (device BYTES PRIMARY KEY, boot BYTES NOT NULL, boot_ms BIGINT NOT NULL, said TEXT NOT NULL, received_ms BIGINT NOT NULL);

INSERT INTO schema_version (version) VALUES (1);
