//! From a signed body to the plan, in nanoseconds.

mod ground;
mod planning;

use criterion::Criterion;

use planning::{Planning, STEPS};

fn main() -> anyhow::Result<()> {
    let planning = Planning::new()?;
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("candidateHire");
    for (name, step) in STEPS {
        group.bench_function(*name, |bencher| bencher.iter(|| step(&planning)));
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
