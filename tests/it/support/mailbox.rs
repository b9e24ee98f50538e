//! A mail server that takes one line at a time and keeps what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The server, on a port of its own, and what came.
#[derive(Clone)]
pub(crate) struct Mailbox {
    port: u16,
    letters: Arc<Mutex<Vec<String>>>,
}

impl Mailbox {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&letters);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&kept)));
            }
        });
        Self { port, letters }
    }

    /// The section that names it.
    pub(crate) fn section(&self) -> String {
        let port = self.port;
        format!(
            "[notices.email]\nsmtp = \"smtp://127.0.0.1:{port}\"\nfrom = \"hirebridge <hires@example.com>\"\n\
             to = [\"hr@example.com\", \"it@example.com\"]\n"
        )
    }

    /// What came, each with its receivers before it.
    pub(crate) fn letters(&self) -> Vec<String> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(socket: TcpStream, letters: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut letter, mut in_letter) = (String::new(), false);
    write.write_all(b"220 mailbox ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if in_letter && line != "." {
            letter.extend([line.as_str(), "\n"]);
            continue;
        }
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." => {
                in_letter = false;
                letters.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut letter));
                "250 kept"
            }
            "DATA" => {
                in_letter = true;
                "354 go on"
            }
            "RCPT" => {
                letter.extend([line.as_str(), "\n"]);
                "250 yes"
            }
            "QUIT" => "221 bye",
            _ => "250 mailbox",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
