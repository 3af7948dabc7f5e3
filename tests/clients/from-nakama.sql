-- Nakama's three tables, and players in them as years of use leave them.
CREATE TABLE users (
  id UUID PRIMARY KEY, username VARCHAR(128) NOT NULL UNIQUE, display_name VARCHAR(255), avatar_url VARCHAR(512),
  lang_tag VARCHAR(18) NOT NULL DEFAULT 'en', location VARCHAR(255), timezone VARCHAR(255),
  metadata JSONB NOT NULL DEFAULT '{}', wallet JSONB NOT NULL DEFAULT '{}', email VARCHAR(255) UNIQUE, password BYTEA,
  facebook_id VARCHAR(128) UNIQUE, google_id VARCHAR(128) UNIQUE, gamecenter_id VARCHAR(128) UNIQUE,
  steam_id VARCHAR(128) UNIQUE, custom_id VARCHAR(128) UNIQUE, edge_count INT NOT NULL DEFAULT 0,
  create_time TIMESTAMPTZ NOT NULL DEFAULT now(), update_time TIMESTAMPTZ NOT NULL DEFAULT now(),
  verify_time TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00 UTC',
  disable_time TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00 UTC',
  facebook_instant_game_id VARCHAR(128) UNIQUE, apple_id VARCHAR(128) UNIQUE
);
CREATE TABLE user_device (
  id VARCHAR(128) PRIMARY KEY, user_id UUID NOT NULL REFERENCES users (id), preferences JSONB,
  push_token_amazon VARCHAR(512) NOT NULL DEFAULT '', push_token_android VARCHAR(512) NOT NULL DEFAULT '',
  push_token_huawei VARCHAR(512) NOT NULL DEFAULT '', push_token_ios VARCHAR(512) NOT NULL DEFAULT '',
  push_token_web VARCHAR(512) NOT NULL DEFAULT ''
);
CREATE TABLE user_edge (
  source_id UUID NOT NULL, position BIGINT NOT NULL, update_time TIMESTAMPTZ NOT NULL DEFAULT now(),
  destination_id UUID NOT NULL, state SMALLINT NOT NULL DEFAULT 0, metadata JSONB NOT NULL DEFAULT '{}',
  PRIMARY KEY (source_id, state, position)
);

CREATE EXTENSION pgcrypto;
INSERT INTO users (id, username) VALUES ('00000000-0000-0000-0000-000000000000', '');
INSERT INTO users (id, username, display_name, email, password, create_time, metadata, custom_id)
SELECT ('4c2a0d6e-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'player' || n,
  -- Whatever a name may be made of, CSV has to carry.
  CASE WHEN n % 3 = 0 THEN E'Zoë, "the ' || n || E'th"\nof 名' ELSE 'Player ' || n END,
  'Player' || n || '@Mail.example', convert_to(crypt('old password ' || n, gen_salt('bf', 6)), 'UTF8'),
  '2021-03-04 05:06:07.890123+00', jsonb_build_object('level', n), CASE WHEN n % 2 = 0 THEN 'custom-of-player-' || n END
FROM generate_series(1, 30) AS n;
INSERT INTO user_device (id, user_id)
SELECT 'device-of-' || username, id FROM users WHERE username <> '';
UPDATE users SET disable_time = '2022-01-01' WHERE username = 'player13';

INSERT INTO user_edge (source_id, position, destination_id, state)
SELECT a.id, 1600000000000000000, b.id, edge.state
FROM (VALUES ('player1', 'player2', 0), ('player2', 'player1', 0), ('player1', 'player3', 1), ('player3', 'player1', 2),
  ('player1', 'player4', 3)) AS edge (a, b, state)
JOIN users a ON a.username = edge.a JOIN users b ON b.username = edge.b;
