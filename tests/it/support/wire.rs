//! A wire to PostgreSQL that can be cut at a chosen moment: after the server has done what it was told, before
//! it could say so.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// What a client says before the answer that is to be lost.
struct Moment {
    words: &'static str,
    /// How many messages later the one comes whose answer is lost.
    later: usize,
}

/// A socket before the server's.
pub(crate) struct Wire {
    folder: TempDir,
    moment: Arc<Mutex<Option<Moment>>>,
}

impl Wire {
    /// Listens in a folder of its own, for a server whose socket is in `server`.
    pub(crate) fn to(server: &Path) -> Self {
        const SOCKET: &str = ".s.PGSQL.5432";
        let folder = TempDir::new().expect("a folder can be made");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket can be made");
        let moment = Arc::<Mutex<Option<Moment>>>::default();
        let (server, cut) = (server.join(SOCKET), Arc::clone(&moment));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), Arc::clone(&cut)));
            }
        });
        Self { folder, moment }
    }

    /// The folder in which its socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Loses the answer to the message that comes `later` than the next one with these words.
    pub(crate) fn lose(&self, words: &'static str, later: usize) {
        *self.moment.lock().expect("not poisoned") = Some(Moment { words, later });
    }

    /// Whether an answer was lost since.
    pub(crate) fn has_lost(&self) -> bool {
        self.moment.lock().expect("not poisoned").is_none()
    }
}

async fn carry(mut client: UnixStream, server: PathBuf, moment: Arc<Mutex<Option<Moment>>>) {
    let Ok(mut server) = UnixStream::connect(server).await else { return };
    let (mut said, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut left = None;
    loop {
        tokio::select! {
            read = client.read(&mut said) => {
                let Ok(length @ 1..) = read else { return };
                let said = &said[..length];
                if let Some(left) = &mut left {
                    *left -= 1;
                } else if let Some(moment) = moment.lock().expect("not poisoned").take_if(|moment| holds(said, moment.words)) {
                    left = Some(moment.later);
                }
                if server.write_all(said).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if left == Some(0) || client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn holds(said: &[u8], words: &str) -> bool {
    said.windows(words.len()).any(|part| part == words.as_bytes())
}
