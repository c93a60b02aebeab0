-- How users are known to each brand. Accounts are `active`, `locked`, `unconfirmed`, `incomplete` or `unconnected`.
CREATE TABLE unidy_user (
    brand TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    unidy_id TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (brand, user_id),
    UNIQUE (brand, unidy_id)
) STRICT;

CREATE TABLE unidy_category (
    brand TEXT NOT NULL,
    id TEXT NOT NULL,
    service_id INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (brand, id)
) STRICT;

-- The body is the ticket's JSON as it stands; the other columns repeat what lists filter and order by. Times are Unix
-- milliseconds.
CREATE TABLE unidy_ticket (
    brand TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    category_id TEXT NOT NULL,
    state TEXT NOT NULL,
    payment_state TEXT,
    reference TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER,
    created_at INTEGER NOT NULL,
    -- Whether it is the document's own ticket.
    document INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (brand, id)
) STRICT;
CREATE INDEX unidy_ticket_by_user ON unidy_ticket (brand, user_id, created_at);
CREATE INDEX unidy_ticket_by_end ON unidy_ticket (state, ends_at);

-- Sign-ins of the SDK API. States are `pending_verification`, `authenticated` and `signed_out`; times are Unix seconds.
CREATE TABLE unidy_sign_in (
    sid TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    auth_time INTEGER
) STRICT;

-- E-mailed codes of sign-ins.
CREATE TABLE unidy_code (
    code TEXT PRIMARY KEY,
    sid TEXT NOT NULL REFERENCES unidy_sign_in (sid),
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;

-- Refresh tokens of sign-ins.
CREATE TABLE unidy_sdk_refresh (
    token TEXT PRIMARY KEY,
    sid TEXT NOT NULL REFERENCES unidy_sign_in (sid),
    revoked INTEGER NOT NULL
) STRICT;

-- ID tokens that were given out and still count.
CREATE TABLE unidy_id_token (
    token TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    sid TEXT,
    expires_at INTEGER NOT NULL
) STRICT;

-- OAuth clients; those without a secret are public. Scopes are parted by spaces.
CREATE TABLE unidy_client (
    client_id TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT,
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL
) STRICT;

-- Transfers. A pending one whose time is over has expired. Times are Unix seconds.
CREATE TABLE unidy_transfer (
    token TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    sender_id INTEGER NOT NULL REFERENCES user (id),
    recipient TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX unidy_transfer_by_ticket ON unidy_transfer (brand, ticket_id);

-- Links to exported tickets: the file as it was when the link was made.
CREATE TABLE unidy_export (
    token TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    file BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Authorization codes and what they were given for. Times are Unix seconds.
CREATE TABLE unidy_grant (
    code TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    nonce TEXT,
    challenge TEXT,
    method TEXT,
    auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;

-- Access tokens; those without a user are a client's own.
CREATE TABLE unidy_access_token (
    token TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id INTEGER REFERENCES user (id),
    scope TEXT NOT NULL,
    -- The code or refresh token they go back to.
    origin TEXT,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE unidy_refresh_token (
    token TEXT PRIMARY KEY,
    brand TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id),
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    origin TEXT NOT NULL,
    revoked INTEGER NOT NULL
) STRICT;
