//! Which server and database, from a URL that may hold a password and is therefore never shown.

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::OpenError;

/// The parameters of libpq that a URL may have after `?`.
const PARAMETERS: [&str; 6] = ["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// A server, a database, and how to sign in there.
pub struct Address(pub(super) PgConnectOptions);

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`; `password` wins over the URL's.
    ///
    /// # Errors
    /// [`OpenError::Url`], without a part of the URL.
    pub fn parse(url: &str, password: Option<&SecretString>) -> Result<Self, OpenError> {
        const FORM: &str = "is no PostgreSQL URL such as `postgres://user@host/database`; a password's special characters are written %XX in it";
        let wrong = |_| OpenError::Url(FORM);
        let mut url = Url::parse(url).map_err(wrong)?;
        if url.path().trim_matches('/').is_empty() || url.username().is_empty() {
            return Err(OpenError::Url("must name a user and a database: `postgres://user@host/database`"));
        }
        if url.query_pairs().any(|(key, _)| !PARAMETERS.contains(&&*key)) {
            return Err(OpenError::Url(
                "takes after `?` nothing but host, port, sslmode, sslrootcert, sslcert and sslkey",
            ));
        }
        let in_url = url.password().is_some();
        if !in_url {
            // Otherwise the driver would look for a password file of whoever runs it.
            url.set_password(Some("-")).map_err(|()| OpenError::Url(FORM))?;
        }
        let options = PgConnectOptions::from_url(&url).map_err(|_| OpenError::Url(FORM))?;
        let options = options.application_name("hirebridge").disable_statement_logging();
        Ok(Self(match password {
            Some(password) => options.password(password.expose_secret()),
            None if in_url => options,
            None => options.password(""),
        }))
    }

    /// Server and database, without user and password.
    pub(super) fn shown(&self) -> String {
        let database = self.0.get_database().unwrap_or_default();
        let place = match self.0.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.0.get_host(), self.0.get_port()),
        };
        format!("PostgreSQL database {database} at {place}")
    }

    /// Whether passwords and hires could be read on the way, or by a false server.
    pub(super) fn is_open_to_listeners(&self) -> bool {
        let here = self.0.get_socket().is_some()
            || matches!(self.0.get_host(), "localhost" | "127.0.0.1" | "::1" | "[::1]")
            || self.0.get_host().starts_with('/');
        !here && !matches!(self.0.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull)
    }
}
