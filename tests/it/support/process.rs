//! hirebridge as a process of its own, to be killed and started again; and its command line.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// The command line, without the environment of whoever runs the tests.
pub(crate) fn hirebridge(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hirebridge"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder).current_dir(folder);
    command
}

/// Runs a command to its end.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    ended(hirebridge(folder).args(args))
}

/// Runs a command to its end, which must come: one that goes on is killed, and has no exit code then.
pub(crate) fn ended(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let pid = child.id().to_string();
    let (end, ends) = mpsc::channel::<()>();
    let guard = thread::spawn(move || {
        if ends.recv_timeout(Duration::from_secs(50)) == Err(RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-KILL", &pid]).status().expect("kill runs");
        }
    });
    let output = child.wait_with_output().expect("it ends");
    drop(end);
    guard.join().expect("the guard does not panic");
    output
}

/// What a command wrote.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `hirebridge serve` in a process of its own.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    /// Starts it and waits until it can store a delivery.
    pub(crate) async fn start(folder: &Path, config: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let log = folder.join(format!("log-{port}"));
        let file = std::fs::File::create(&log).expect("a log file");
        let out = std::fs::File::create(folder.join(format!("out-{port}"))).expect("a file for its output");
        let child = hirebridge(folder)
            .arg("serve")
            .arg("--config")
            .arg(config)
            .env("HIREBRIDGE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .stdout(out)
            .stderr(file)
            .spawn()
            .expect("the program starts");
        let served = Self { child, url: format!("http://127.0.0.1:{port}") };
        let http = reqwest::Client::builder().build().expect("a client");
        eventually("the service is ready", || async {
            let ready = http.get(format!("{}/readyz", served.url)).send().await;
            ready.is_ok_and(|answer| answer.status() == 200).then_some(())
        })
        .await;
        served
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM; the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again, for a minute at most: for what happens in another process, in its own time.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..3_000 {
        ticks.tick().await;
        if let Some(found) = ask().await {
            return found;
        }
    }
    panic!("never: {what}");
}
