//! The service's syncs, seen and slowed down from outside: a small C library that is loaded before the system's.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// As `syncs.c` has it.
const KEPT: u64 = 65_536;
const HEAD: u64 = 16;

/// The library, loaded or not.
pub(crate) struct Syncs {
    library: PathBuf,
    path: PathBuf,
    shared: File,
}

impl Syncs {
    /// Builds the library in the folder; `None`, with a word about it, if there is no C compiler.
    pub(crate) fn build(folder: &Path) -> anyhow::Result<Option<Self>> {
        let source = folder.join("syncs.c");
        std::fs::write(&source, include_str!("syncs.c"))?;
        let library = folder.join("syncs.so");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).status();
        if !built.is_ok_and(|status| status.success()) {
            println!("syncs are neither counted nor slowed down: `cc` is missing or failed");
            return Ok(None);
        }
        let path = folder.join("syncs");
        let shared = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        shared.set_len(HEAD + 4 * KEPT)?;
        Ok(Some(Self { library, path, shared }))
    }

    /// What a process's environment needs, so that its syncs are seen.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("HIREBRIDGE_BENCH_SYNCS", &self.path)]
    }

    /// Each sync takes so much longer from now on.
    pub(crate) fn slow_down(&self, ms: u64) -> std::io::Result<()> {
        self.shared.write_all_at(&(1000 * ms).to_ne_bytes(), 0)
    }

    /// How many there were since the start.
    pub(crate) fn count(&self) -> std::io::Result<u64> {
        let mut count = [0; 8];
        self.shared.read_exact_at(&mut count, 8)?;
        Ok(u64::from_ne_bytes(count))
    }

    /// How long each took since there were `before`.
    pub(crate) fn since(&self, before: u64) -> std::io::Result<Vec<Duration>> {
        let count = self.count()?;
        (before.max(count.saturating_sub(KEPT))..count)
            .map(|n| {
                let mut took = [0; 4];
                self.shared.read_exact_at(&mut took, HEAD + 4 * (n % KEPT))?;
                Ok(Duration::from_micros(u32::from_ne_bytes(took).into()))
            })
            .collect()
    }
}
