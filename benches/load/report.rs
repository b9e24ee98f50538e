//! The table: the service beside the floor, one column for each setting.

use crate::rounds::{Round, Setting, Turn};

/// A row's name and its cell for a setting.
type Row = (&'static str, fn(&Column) -> String);

/// What is said of each setting.
const ROWS: &[Row] = &[
    ("Personio takes, ms", |column| column.setting.latency_ms.to_string()),
    ("a sync takes longer by, ms", |column| column.setting.sync_ms.to_string()),
    ("senders", |column| column.setting.senders.to_string()),
    ("rounds x hires", |column| format!("{} x {}", column.setting.rounds, column.setting.hires)),
    ("service, hires/s", |column| format!("{:.0}", middle(&column.rates(Round::service)))),
    ("floor, hires/s", |column| format!("{:.0}", middle(&column.rates(Round::floor)))),
    ("THROUGHPUT, service/floor", |column| format!("{:.2}", middle(&column.ratios()))),
    ("  least and most of a round", |column| {
        let ratios = column.ratios();
        format!("{:.2} - {:.2}", ratios[0], ratios[ratios.len() - 1])
    }),
    ("service p50, ms", |column| format!("{:.2}", column.latency(Round::service, 50))),
    ("floor p50, ms", |column| format!("{:.2}", column.latency(Round::floor, 50))),
    ("ADDED p50, ms", |column| format!("{:.2}", column.added(50))),
    ("service p99, ms", |column| format!("{:.2}", column.latency(Round::service, 99))),
    ("floor p99, ms", |column| format!("{:.2}", column.latency(Round::floor, 99))),
    ("ADDED p99, ms", |column| format!("{:.2}", column.added(99))),
    ("service, CPU µs/hire", |column| format!("{:.0}", column.cpu(Round::service))),
    ("floor, CPU µs/hire", |column| format!("{:.0}", column.cpu(Round::floor))),
    ("CPU, service/floor", |column| format!("{:.2}", column.cpu(Round::service) / column.cpu(Round::floor))),
    ("simulator, CPU µs/hire", |column| format!("{:.0}", column.simulator_cpu())),
    ("durable commits/s", |column| format!("{:.0}", column.commits() / column.seconds())),
    ("a sync, ms", |column| column.sync().map_or("-".to_owned(), |ms| format!("{ms:.2}"))),
    ("ADDED p50 less syncs, ms", |column| {
        column.beside_syncs().map_or("-".to_owned(), |ms| format!("{ms:.2}"))
    }),
    ("commits/hire", |column| format!("{:.2}", column.commits() / hires(column.turns(Round::service)))),
];

/// So many syncs a lone delivery waits for: it is stored, permitted, and its outcome and the comparison are stored.
const BEFORE_THE_ANSWER: f64 = 4.0;

/// A setting and what came of it.
pub(crate) struct Column {
    pub(crate) setting: Setting,
    pub(crate) rounds: Vec<Round>,
}

/// The whole table.
pub(crate) fn table(columns: &[Column]) {
    for (name, cell) in ROWS {
        print!("{name:<28}");
        for column in columns {
            print!("{:>14}", cell(column));
        }
        println!();
    }
}

type Side = fn(&Round) -> &Turn;

impl Column {
    fn turns(&self, side: Side) -> impl Iterator<Item = &Turn> {
        self.rounds.iter().map(side)
    }

    fn rates(&self, side: Side) -> Vec<f64> {
        sorted(self.turns(side).map(rate))
    }

    fn ratios(&self) -> Vec<f64> {
        sorted(self.rounds.iter().map(|round| rate(&round.service) / rate(&round.floor)))
    }

    /// A percentile over the answers of all rounds, in milliseconds.
    fn latency(&self, side: Side, percent: usize) -> f64 {
        let all = self.turns(side).flat_map(|turn| &turn.latencies);
        let all = sorted(all.map(|took| took.as_secs_f64() * 1e3));
        all[(all.len() - 1) * percent / 100]
    }

    fn added(&self, percent: usize) -> f64 {
        self.latency(Round::service, percent) - self.latency(Round::floor, percent)
    }

    /// Microseconds for each hire over all rounds: a single one has few ticks of the system's clock.
    fn cpu(&self, side: Side) -> f64 {
        self.turns(side).map(|turn| turn.cpu.as_secs_f64() * 1e6).sum::<f64>() / hires(self.turns(side))
    }

    fn simulator_cpu(&self) -> f64 {
        let both = || self.turns(Round::service).chain(self.turns(Round::floor));
        both().map(|turn| turn.personio_cpu.as_secs_f64() * 1e6).sum::<f64>() / hires(both())
    }

    /// What a sync of the service takes, in milliseconds, where that can be seen.
    fn sync(&self) -> Option<f64> {
        let all = self.rounds.iter().flat_map(|round| &round.syncs);
        let all = sorted(all.map(|took| took.as_secs_f64() * 1e3));
        (!all.is_empty()).then(|| middle(&all))
    }

    /// What is added to the answer of a lone sender beside the syncs that it waits for.
    fn beside_syncs(&self) -> Option<f64> {
        let alone = self.setting.senders == 1;
        self.sync().filter(|_| alone).map(|sync| self.added(50) - BEFORE_THE_ANSWER * sync)
    }

    fn commits(&self) -> f64 {
        self.turns(Round::service).map(|turn| f64::from(turn.commits)).sum()
    }

    fn seconds(&self) -> f64 {
        self.turns(Round::service).map(|turn| turn.took.as_secs_f64()).sum()
    }
}

fn rate(turn: &Turn) -> f64 {
    hires([turn].into_iter()) / turn.took.as_secs_f64()
}

fn hires<'a>(turns: impl Iterator<Item = &'a Turn>) -> f64 {
    let hires: usize = turns.map(|turn| turn.latencies.len()).sum();
    u32::try_from(hires).map_or(f64::NAN, f64::from)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
