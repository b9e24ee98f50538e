//! Where the ledger is: what may be set, and opening what is set.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{KeyError, Ledger, LedgerKey, Owner, postgres, sqlite};

/// Where the ledger is and what opens it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `sqlite:PATH`, a file on a local disk, or `postgres://USER@HOST/DATABASE`. May hold a password.
    pub url: SecretString,
    /// The password for PostgreSQL, in place of one in the URL.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// 32 bytes in base64: what is personal is encrypted under it.
    pub key: SecretString,
    /// Other keys that what is stored may still be encrypted under: while one key replaces the other.
    #[serde(default)]
    pub previous_keys: Vec<SecretString>,
}

/// What a URL names.
pub enum Place {
    /// A file of SQLite's.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<postgres::Address>),
}

/// Why the ledger was not opened, with the setting that is to be changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no engine, or asks for something that would not be durable.
    #[error("{0}")]
    Url(&'static str),
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// One of the other keys is none.
    #[error("{why}")]
    PreviousKey {
        /// Which one.
        key: String,
        /// Why.
        why: KeyError,
    },
    /// The file was refused.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The server was refused, or refused us.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

impl OpenError {
    /// The setting that is to be changed.
    pub fn key(&self) -> &str {
        match self {
            Self::PreviousKey { key, .. } => key,
            Self::Sqlite(sqlite::OpenError::KeyMissing(_))
            | Self::Postgres(postgres::OpenError::KeyMissing(_)) => "ledger.previous_keys",
            Self::Key(_)
            | Self::Sqlite(sqlite::OpenError::OtherKey(_))
            | Self::Postgres(postgres::OpenError::OtherKey(_)) => "ledger.key",
            Self::Url(_) | Self::Sqlite(_) | Self::Postgres(_) => "ledger.url",
        }
    }
}

impl Settings {
    /// The place and the key that the settings name; nothing is opened.
    ///
    /// # Errors
    /// [`OpenError::Url`], [`OpenError::Key`] or [`postgres::OpenError::Url`].
    pub fn parse(&self) -> Result<(Place, LedgerKey), OpenError> {
        let url = self.url.expose_secret();
        let place = if let Some(path) = url.strip_prefix("sqlite:") {
            Place::Sqlite(file(path.strip_prefix("//").unwrap_or(path))?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Place::Postgres(Box::new(postgres::Address::parse(url, self.password.as_ref())?))
        } else {
            return Err(OpenError::Url(
                "must start with `sqlite:`, such as `sqlite:hirebridge.db`, or with `postgres://`",
            ));
        };
        let others = self.previous_keys.iter().enumerate().map(|(index, key)| {
            LedgerKey::parse(key.expose_secret())
                .map_err(|why| OpenError::PreviousKey { key: format!("ledger.previous_keys[{index}]"), why })
        });
        let others = others.collect::<Result<Vec<_>, _>>()?;
        Ok((place, LedgerKey::parse(self.key.expose_secret())?.beside(others)))
    }
}

fn file(path: &str) -> Result<PathBuf, OpenError> {
    if path.is_empty() || path.contains(":memory:") {
        return Err(OpenError::Url("would keep hires in memory and lose them; name a file on a local disk"));
    }
    if path.contains('?') {
        return Err(OpenError::Url(
            "takes no options after `?`: a ledger is always durable (WAL, synchronous=FULL)",
        ));
    }
    Ok(PathBuf::from(path))
}

/// Opens the ledger that the settings name, as a new owner of permits.
///
/// # Errors
/// [`OpenError`], in words that say what to change.
pub async fn open(settings: &Settings) -> Result<Arc<dyn Ledger>, OpenError> {
    let (place, key) = settings.parse()?;
    Ok(match place {
        Place::Sqlite(path) => Arc::new(sqlite::SqliteLedger::open(&path, &key, Owner::new())?),
        Place::Postgres(address) => {
            Arc::new(postgres::PostgresLedger::open(&address, &key, Owner::new()).await?)
        }
    })
}

/// Looks whether the ledger could be opened, without changing it: what was found, in words.
///
/// # Errors
/// [`OpenError`] if it could not.
pub async fn inspect(settings: &Settings) -> Result<String, OpenError> {
    let (place, key) = settings.parse()?;
    Ok(match place {
        Place::Sqlite(path) => sqlite::inspect(&path, &key)?,
        Place::Postgres(address) => postgres::inspect(&address, &key).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, password: Option<&str>) -> Settings {
        let key = LedgerKey::generate().into();
        Settings { url: url.into(), password: password.map(Into::into), key, previous_keys: Vec::new() }
    }

    #[test]
    fn a_url_names_the_engine() {
        let place = |url| settings(url, None).parse().map(|(place, _)| place);
        assert!(matches!(place("sqlite:a.db"), Ok(Place::Sqlite(path)) if path.as_os_str() == "a.db"));
        assert!(matches!(place("postgres://me@db/hires"), Ok(Place::Postgres(_))));
        assert!(matches!(
            place("postgresql://me:pw@db:5433/hires?sslmode=verify-full"),
            Ok(Place::Postgres(_))
        ));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_showing_the_url() {
        for url in [
            "mysql://me:s3cret@db/hires",
            "sqlite::memory:",
            "sqlite:a.db?mode=memory",
            "postgres://me:s3cret@db",
            "postgres://me:s3cret@db:99999/hires",
            "postgres://me:s3cret@db/hires?sslmode=s3cret",
            "postgres://me:s3cret@db/hires?options=-csynchronous_commit%3Doff",
            "postgres://me@db/hires?pasword=s3cret",
        ] {
            let Err(error) = settings(url, None).parse() else { panic!("{url} was taken") };
            assert_eq!(error.key(), "ledger.url", "{url}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", settings("postgres://me:s3cret@db/hires", Some("other-s3cret")));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
