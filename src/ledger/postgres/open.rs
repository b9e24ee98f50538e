//! Opening the database: durable, writable, ours, and of a version that this build knows; else refused in words.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor};

use super::address::Address;
use super::{keys, words};
use crate::ledger::LedgerKey;
use crate::ledger::seal::{Seal, Unlocked};
use crate::ledger::sealed::{FORMER_KEYS, missing, with_former};

/// The migrations, oldest first; the table `migrations` names those that were run.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_hires.sql"),
    include_str!("migrations/0002_order.sql"),
    include_str!("migrations/0003_translations.sql"),
    include_str!("migrations/0004_documents.sql"),
    include_str!("migrations/0005_operators.sql"),
    include_str!("migrations/0006_privacy.sql"),
    include_str!("migrations/0007_bodies.sql"),
    include_str!("migrations/0008_notices.sql"),
];

/// So many connections at most; each commit occupies one for as long as its sync takes.
const CONNECTIONS: u32 = 16;

/// How long a connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(5);

/// A connection that rested longer than this is tested before it is used.
const RESTED: Duration = Duration::from_secs(1);

/// What every session is told. A statement that hangs is given up by the server, and so is a transaction
/// whose client was suspended in its middle, so that its locks are free again.
const SESSION: &str = "SET search_path TO hirebridge; SET statement_timeout TO '10s'; SET lock_timeout TO '5s'; \
     SET idle_in_transaction_session_timeout TO '10s'; SET client_min_messages TO warning";

/// Only one process migrates at a time: `hirebrid` as a number.
const MIGRATION_LOCK: i64 = 0x6869_7265_6272_6964;

/// Why the database could not be opened. Never shows the URL.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be obeyed.
    #[error("{0}")]
    Url(&'static str),
    /// The server cannot be reached, or does not let us in.
    #[error("{at} cannot be reached: {what}")]
    Unreachable {
        /// Server and database.
        at: String,
        /// What was said.
        what: String,
    },
    /// The server does not promise that what was committed survives a power loss.
    #[error(
        "{at} is not durable: `{setting}` is `off`; set it to `on` for the server, this database and this user"
    )]
    NotDurable {
        /// Server and database.
        at: String,
        /// What is weaker than needed.
        setting: &'static str,
    },
    /// The server only reads.
    #[error("{at} cannot be written: {why}")]
    ReadOnly {
        /// Server and database.
        at: String,
        /// Why.
        why: &'static str,
    },
    /// The schema is not one of ours.
    #[error("the schema `hirebridge` of {at} is not a hirebridge ledger; name another database")]
    NotOurs {
        /// Server and database.
        at: String,
    },
    /// The tables were made by a newer version.
    #[error(
        "{at} was set up by a newer hirebridge (its version is {found}, this one knows {known}); run that one"
    )]
    Newer {
        /// Server and database.
        at: String,
        /// The tables' version.
        found: usize,
        /// The newest version this build knows.
        known: usize,
    },
    /// The server refused what setting up needs.
    #[error(
        "{at} cannot be set up: {what}; the user must own the schema `hirebridge`, or have CREATE on the database"
    )]
    Failed {
        /// Server and database.
        at: String,
        /// What it said.
        what: String,
    },
    /// The key is not the one that the tables were made with.
    #[error(
        "{0} was made with another key; use the one it was made with, or add that one to ledger.previous_keys"
    )]
    OtherKey(String),
    /// Some of what is stored is sealed with a key that was not given.
    #[error(
        "must hold one more key: a part of {0} is still encrypted under it; keep it here until the log says that nothing is"
    )]
    KeyMissing(String),
}

/// Connects, looks at the server, brings the tables up to date, and opens the seal.
pub(super) async fn open(address: &Address, key: &LedgerKey) -> Result<(PgPool, Seal), OpenError> {
    if address.is_open_to_listeners() {
        tracing::warn!(
            "the ledger's server is not verified by TLS; add `?sslmode=verify-full` to ledger.url"
        );
    }
    let at = address.shown();
    let mut db = connect(address).await?;
    let failed = |error: sqlx::Error| OpenError::Failed { at: at.clone(), what: words(&error) };
    let mut all = db.begin().await.map_err(failed)?;
    // Another replica may be migrating, however long that takes; here the transaction ends with us.
    all.execute("SET LOCAL lock_timeout TO 0; SET LOCAL statement_timeout TO 0").await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *all)
        .await
        .map_err(failed)?;
    let done = version(&mut all, &at).await?;
    migrate(&mut all, done).await.map_err(failed)?;
    let seal = match unlock(&mut all, key, &at).await? {
        Some(Unlocked { seal, resealed, was }) => {
            find_missing_keys(&mut all, &seal, &at).await?;
            if let Some(sealed) = resealed {
                let former = with_former(former_keys(&mut all).await.map_err(failed)?, was);
                let keep = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
                sqlx::query(keep).bind(FORMER_KEYS).bind(former).execute(&mut *all).await.map_err(failed)?;
                let change = sqlx::query("UPDATE meta SET value = $1 WHERE name = 'tombstone_key'");
                change.bind(sealed).execute(&mut *all).await.map_err(failed)?;
            }
            seal
        }
        None => lock_up(&mut all, key).await.map_err(failed)?,
    };
    all.commit().await.map_err(failed)?;
    // Whether it ends in order does not matter: its work is committed.
    let _ = db.close().await;
    Ok((pool(address), seal))
}

/// Looks whether [`PostgresLedger::open`](super::PostgresLedger::open) would succeed, and changes nothing.
///
/// # Errors
/// [`OpenError`] if it would not.
pub async fn inspect(address: &Address, key: &LedgerKey) -> Result<String, OpenError> {
    let at = address.shown();
    let mut db = connect(address).await?;
    let done = version(&mut db, &at).await?;
    if done > 0 {
        let opened = unlock(&mut db, key, &at).await?;
        // Where a migration is still to be run there are not all tables yet: the start looks into them.
        if let Some(opened) = opened.filter(|_| done == MIGRATIONS.len()) {
            find_missing_keys(&mut db, &opened.seal, &at).await?;
        }
        return Ok(format!("{at} can be used"));
    }
    let may: bool = sqlx::query_scalar(
        "SELECT coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'hirebridge'), \
         has_database_privilege(current_database(), 'CREATE'))",
    )
    .fetch_one(&mut db)
    .await
    .map_err(|error| OpenError::Failed { at: at.clone(), what: words(&error) })?;
    if may {
        return Ok(format!("{at} will be set up at the first start"));
    }
    let database = address.0.get_database().unwrap_or_default();
    Err(OpenError::Failed { at, what: format!("permission denied for database {database}") })
}

fn pool(address: &Address) -> PgPool {
    let at = address.shown();
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_mins(5))
        .test_before_acquire(false)
        .after_connect(move |db, _| {
            let at = at.clone();
            Box::pin(async move {
                prepare(db, &at).await.map_err(|error| sqlx::Error::Configuration(error.into()))
            })
        })
        .before_acquire(|db, rest| {
            Box::pin(async move { Ok(rest.idle_for < RESTED || still_serves(db).await) })
        })
        .connect_lazy_with(address.0.clone())
}

/// Whether the connection lives and its server has not become one that only reads.
async fn still_serves(db: &mut PgConnection) -> bool {
    let recovering = sqlx::query_scalar::<_, bool>("SELECT pg_is_in_recovery()").fetch_one(db).await;
    matches!(recovering, Ok(false))
}

async fn connect(address: &Address) -> Result<PgConnection, OpenError> {
    let unreachable = |what: String| OpenError::Unreachable { at: address.shown(), what };
    let connecting = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(&address.0)).await;
    let mut db = connecting
        .map_err(|_| unreachable(format!("no answer in {} s", ACQUIRE.as_secs())))?
        .map_err(|error| unreachable(words(&error)))?;
    prepare(&mut db, &address.shown()).await?;
    Ok(db)
}

/// Looks at what the server promises, then sets what a session decides. Done for every connection: after a
/// fail-over the same name may be another server.
async fn prepare(db: &mut PgConnection, at: &str) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Unreachable { at: at.to_owned(), what: words(&error) };
    let (fsync, pages, commit, recovering, read_only): (String, String, String, bool, String) = sqlx::query_as(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'), \
         pg_is_in_recovery(), current_setting('transaction_read_only')",
    )
    .persistent(false)
    .fetch_one(&mut *db)
    .await
    .map_err(failed)?;
    let found = [("fsync", fsync), ("full_page_writes", pages), ("synchronous_commit", commit.clone())];
    if let Some((setting, _)) = found.into_iter().find(|(_, value)| value == "off") {
        return Err(OpenError::NotDurable { at: at.to_owned(), setting });
    }
    let read_only = match (recovering, read_only.as_str()) {
        (true, _) => Some("it is a standby; name the primary"),
        (false, "on") => Some("transactions are read-only for this user or database"),
        _ => None,
    };
    if let Some(why) = read_only {
        return Err(OpenError::ReadOnly { at: at.to_owned(), why });
    }
    db.execute(SESSION).await.map_err(failed)?;
    // `local` and `remote_write` would let a standby take over without what was committed.
    if commit != "remote_apply" {
        db.execute("SET synchronous_commit TO on").await.map_err(failed)?;
    }
    Ok(())
}

/// How many migrations the schema has seen; it may not be there yet.
async fn version(db: &mut PgConnection, at: &str) -> Result<usize, OpenError> {
    let failed = |error: sqlx::Error| OpenError::Failed { at: at.to_owned(), what: words(&error) };
    let (tables, ours): (i64, bool) = sqlx::query_as(
        "SELECT count(*), coalesce(bool_or(relname = 'migrations'), false) \
         FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'hirebridge') AND relkind = 'r'",
    )
    .fetch_one(&mut *db)
    .await
    .map_err(failed)?;
    match (tables, ours) {
        (0, _) => return Ok(0),
        (_, false) => return Err(OpenError::NotOurs { at: at.to_owned() }),
        (_, true) => {}
    }
    let done: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM hirebridge.migrations")
        .fetch_one(db)
        .await
        .map_err(failed)?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(OpenError::Newer { at: at.to_owned(), found: done, known: MIGRATIONS.len() });
    }
    Ok(done)
}

/// Runs what is missing, in the caller's transaction: all of it or nothing.
async fn migrate(db: &mut PgConnection, done: usize) -> Result<(), sqlx::Error> {
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    if done == 0 {
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'hirebridge')")
                .fetch_one(&mut *db)
                .await?;
        if !there {
            db.execute("CREATE SCHEMA hirebridge").await?;
        }
        db.execute(
            "CREATE TABLE migrations (version bigint PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())",
        )
        .await?;
    }
    for (migration, number) in MIGRATIONS.iter().zip(1_i64..).skip(done) {
        db.execute(*migration).await?;
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)").bind(number).execute(&mut *db).await?;
    }
    Ok(())
}

/// Opens the tombstone key that is stored sealed under the ledger's key; none if the ledger is new.
async fn unlock(db: &mut PgConnection, key: &LedgerKey, at: &str) -> Result<Option<Unlocked>, OpenError> {
    let failed = |error: sqlx::Error| OpenError::Failed { at: at.to_owned(), what: words(&error) };
    let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'tombstone_key'")
        .fetch_optional(&mut *db)
        .await
        .map_err(failed)?;
    let opened = |sealed: Vec<u8>| Seal::open(key, &sealed).ok_or_else(|| OpenError::OtherKey(at.to_owned()));
    sealed.map(opened).transpose()
}

/// Refuses if anything is sealed with a key that was the ledger's once and is not given.
async fn find_missing_keys(db: &mut PgConnection, seal: &Seal, at: &str) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Failed { at: at.to_owned(), what: words(&error) };
    let former = former_keys(db).await.map_err(failed)?;
    let sealed = keys::sealed_by(db, &missing(&former, &seal.keys())).await.map_err(failed)?;
    if sealed == 0 { Ok(()) } else { Err(OpenError::KeyMissing(at.to_owned())) }
}

async fn former_keys(db: &mut PgConnection) -> Result<Vec<u8>, sqlx::Error> {
    let ids = sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(FORMER_KEYS);
    Ok(ids.fetch_optional(db).await?.unwrap_or_default())
}

async fn lock_up(db: &mut PgConnection, key: &LedgerKey) -> Result<Seal, sqlx::Error> {
    let (seal, sealed) = Seal::create(key);
    sqlx::query("INSERT INTO meta (name, value) VALUES ('tombstone_key', $1)")
        .bind(sealed)
        .execute(db)
        .await?;
    Ok(seal)
}
