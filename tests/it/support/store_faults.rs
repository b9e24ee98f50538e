//! A disk that fails on request, under a service in a process of its own: `store_faults.c`, which stands before
//! the C library's writes and syncs.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::process::text;

/// What may be ordered, in the order of the C file's `enum order`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    WriteError = 1,
    OnlyGrowing = 2,
    SyncError = 3,
    FailFrom = 4,
    SpareLog = 5,
    KillAt = 6,
    KillAfter = 7,
    KeepSynced = 8,
}

const ORDERS: usize = 9;

/// The disk below a folder `data`, where the ledger is to be.
pub(crate) struct Disk {
    folder: PathBuf,
    orders: File,
    shim: PathBuf,
}

impl Disk {
    /// Puts a disk under the folder; `None`, and says so, where that is not possible. `test` is who asks.
    pub(crate) fn under(folder: &Path, test: &str) -> Option<Self> {
        static SHIM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let shim = match SHIM.get_or_init(build) {
            Ok(shim) => shim.clone(),
            Err(why) => {
                let why = format!("SKIPPED {test}: no disk that fails on request here ({why})\n");
                // Not `eprintln!`, which a passing test keeps to itself.
                std::io::stderr().write_all(why.as_bytes()).expect("standard error can be written");
                return None;
            }
        };
        for name in ["data", "synced"] {
            fs::create_dir(folder.join(name)).expect("a folder can be made");
        }
        fs::write(folder.join("orders"), [0; ORDERS * 8]).expect("writable");
        let orders = File::options().read(true).write(true).open(folder.join("orders")).expect("it is there");
        Some(Self { folder: folder.to_owned(), orders, shim })
    }

    /// What the service needs in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.shim.clone().into()),
            ("STORE_FAULTS_FOLDER", self.folder.join("data").into()),
            ("STORE_FAULTS_ORDERS", self.folder.join("orders").into()),
            ("STORE_FAULTS_SYNCED", self.folder.join("synced").into()),
        ]
    }

    /// Gives an order; 0 takes it back.
    pub(crate) fn order(&self, what: Order, number: u64) {
        self.orders.write_all_at(&number.to_ne_bytes(), what as u64 * 8).expect("writable");
    }

    /// Takes all orders back, and counts anew.
    pub(crate) fn heal(&self) {
        self.orders.write_all_at(&[0; ORDERS * 8], 0).expect("writable");
    }

    /// The next sync and all later ones fail with this errno.
    pub(crate) fn fail_syncs(&self, errno: rustix::io::Errno) {
        self.order(Order::SyncError, code(errno));
        self.order(Order::FailFrom, self.syncs() + 1);
    }

    /// Every write fails with this errno.
    pub(crate) fn fail_writes(&self, errno: rustix::io::Errno) {
        self.order(Order::WriteError, code(errno));
    }

    /// How many syncs there were.
    pub(crate) fn syncs(&self) -> u64 {
        self.number_at(0)
    }

    /// What was ordered last.
    pub(crate) fn ordered(&self, what: Order) -> u64 {
        self.number_at(what as u64)
    }

    fn number_at(&self, place: u64) -> u64 {
        let mut number = [0; 8];
        self.orders.read_exact_at(&mut number, place * 8).expect("readable");
        u64::from_ne_bytes(number)
    }

    /// The power fails: what was not synced is gone. The service must have ended.
    pub(crate) fn lose_what_was_not_synced(&self) {
        let (data, synced) = (self.folder.join("data"), self.folder.join("synced"));
        fs::remove_dir_all(&data).expect("it can be removed");
        for left in fs::read_dir(&synced).expect("readable").map(|entry| entry.expect("an entry").path()) {
            if left.extension().is_some_and(|extension| extension == "failed") {
                fs::remove_file(left).expect("it can be removed");
            }
        }
        fs::rename(&synced, &data).expect("it can be moved");
        fs::create_dir(&synced).expect("a folder can be made");
    }
}

fn code(errno: rustix::io::Errno) -> u64 {
    u64::try_from(errno.raw_os_error()).expect("an errno is positive")
}

/// Compiles the C file, once a process.
fn build() -> Result<PathBuf, String> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return Err("it takes Linux with the GNU C library".into());
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/store_faults.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Each process makes its own and puts it in the place of the others'.
    let (made, shim) = (folder.join(format!("{}.so", std::process::id())), folder.join("store_faults.so"));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&made)
        .arg(&source)
        .arg("-ldl");
    match cc.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("store_faults.c does not compile: {}", text(&output.stderr)),
        Err(error) => return Err(format!("cc: {error}")),
    }
    fs::rename(&made, &shim).map_err(|error| error.to_string())?;
    Ok(shim)
}
