//! A role of the benchmark in a process of its own, and what can be seen of it from outside.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

/// How long a clock tick of `/proc` is: Linux shows processes 100 a second, whatever its own timer does.
const TICK: Duration = Duration::from_millis(10);

/// How a role is started.
#[derive(Default)]
pub(crate) struct Start<'a> {
    /// What runs the program, with its arguments; nothing if it runs by itself.
    pub(crate) wrapper: Vec<String>,
    /// What is added to its environment.
    pub(crate) environment: Vec<(&'static str, &'a Path)>,
}

/// A running role. Ends when it is dropped.
pub(crate) struct Process {
    child: Child,
    hears: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Process {
    /// Starts this program again in another role, and returns once it listens.
    pub(crate) fn start(role: &str, folder: &Path, start: &Start<'_>) -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        let mut command = match start.wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(&this);
                command
            }
            None => Command::new(&this),
        };
        let mut child = command
            .args([super::ROLE, role])
            .arg(folder)
            .envs(start.environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let hears = child.stdin.take();
        let mut says = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let first = says.next().with_context(|| format!("the {role} did not start"))??;
        Ok(Self { child, hears, says, address: first.parse()? })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has done all that it was given, also what it does after the answer.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        writeln!(self.hears.as_mut().context("it is asked before it is told to end")?)?;
        self.says.next().context("it ended too early")??;
        Ok(())
    }

    /// Its number, for what the system shows of it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time it has used since it started, user and system.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Fields 14 and 15; the name in field 2 may hold spaces, and ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(')').context("the name is in parentheses")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        Ok(TICK * ticks.sum::<Result<u32, _>>()?)
    }
}

/// A role ends when its input does.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.hears.take());
        if let Err(error) = self.child.wait() {
            println!("a process of the benchmark could not be waited for: {error}");
        }
    }
}
