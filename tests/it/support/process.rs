//! hirebridge as a process of its own, to be killed and started again; and its command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
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
    log: PathBuf,
}

impl Served {
    /// Starts it and waits until it can store a delivery.
    pub(crate) async fn start(folder: &Path, config: &Path) -> Self {
        let mut served = Self::spawn(folder, config, &[]);
        assert!(served.is_ready().await, "it ended: {}", served.log());
        served
    }

    /// Starts it with more in its environment, and does not wait.
    pub(crate) fn spawn(folder: &Path, config: &Path, environment: &[(&str, OsString)]) -> Self {
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
            .envs(environment.iter().cloned())
            .stdout(out)
            .stderr(file)
            .spawn()
            .expect("the program starts");
        Self { child, url: format!("http://127.0.0.1:{port}"), log }
    }

    /// Waits until it can store a delivery; false if it ends before.
    pub(crate) async fn is_ready(&mut self) -> bool {
        let http = reqwest::Client::builder().build().expect("a client");
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            ticks.tick().await;
            let ready = http.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|answer| answer.status() == 200) {
                return true;
            }
            if self.child.try_wait().expect("it can be asked").is_some() {
                return false;
            }
        }
        panic!("never ready: {}", self.log());
    }

    /// Waits until it has ended by itself; its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            ticks.tick().await;
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
        }
        panic!("it never ended: {}", self.log());
    }

    /// What it has logged so far, its last words included.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("readable")
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs");
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
