//! From a signed body to the plan: the steps that are measured, each alone and all together.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use bytesize::ByteSize;
use hirebridge::ats::{Delivery, Event, Hired, Received, Source, Verified};
use hirebridge::domain::{Catalog, Plan};
use hirebridge::mapping::{Input, Mapping};
use hirebridge::transfer::Planner;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::ground;

/// A step and its name.
pub(crate) type Step = (&'static str, fn(&Planning));

/// The steps that are measured.
pub(crate) const STEPS: &[Step] = &[
    ("verify", |planning| drop(black_box(planning.verified()))),
    ("read", |planning| drop(black_box(planning.read(&planning.verified)))),
    ("plan", |planning| drop(black_box(planning.mapped()))),
    ("whole", |planning| drop(black_box(planning.whole()))),
];

/// A delivery and everything that is needed to plan it.
pub(crate) struct Planning {
    planner: Planner,
    headers: HeaderMap,
    body: Bytes,
    verified: Verified,
    hired: Hired,
    payloads: [Value; 1],
}

impl Planning {
    /// Puts the delivery and the rules together, and looks once that a sendable plan comes out.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        ground::configure(folder.path(), "127.0.0.1:9")?;
        let planner = ground::planner(&ground::configuration(folder.path())?)?;
        let body = Bytes::from_static(ground::PAYLOAD.as_bytes());
        let signature = HeaderValue::try_from(ground::signature(&body))?;
        let headers = HeaderMap::from_iter([(HeaderName::from_static(ground::SIGNATURE), signature)]);
        let source = source(&planner);
        let verified = verify(source, &headers, &body);
        let read = source.read(&verified)?;
        let Event::Hire(hired) = read.event else { anyhow::bail!("the payload is about no hire") };
        let planning = Self { headers, body, verified, hired: *hired, payloads: [read.payload], planner };
        let (whole, mapped) = (planning.whole(), planning.mapped());
        anyhow::ensure!(
            whole.hold.is_none() && whole.employee == mapped.employee,
            "the plan is not sendable"
        );
        Ok(planning)
    }

    fn verified(&self) -> Verified {
        verify(source(&self.planner), &self.headers, &self.body)
    }

    /// The strict JSON reader, then what Ashby means.
    fn read(&self, verified: &Verified) -> Delivery {
        source(&self.planner).read(verified).expect("the payload is Ashby's")
    }

    fn mapping(&self) -> &Mapping {
        self.planner.mappings.of(ground::SOURCE)
    }

    /// The rules alone, on facts of their own, as the service gives them.
    fn mapped(&self) -> Plan {
        let facts = self.hired.facts.clone();
        self.mapping().plan(&Input { payloads: &self.payloads, ..Input::of(facts, &Catalog::default()) })
    }

    /// What the service does with a delivery between its arrival and its first call to Personio, without
    /// the ledger.
    fn whole(&self) -> Plan {
        let verified = self.verified();
        let preview =
            pin!(self.planner.preview(source(&self.planner), verified.body(), Timestamp::UNIX_EPOCH, &[]));
        match preview.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(plan) => plan.expect("the payload is Ashby's"),
            Poll::Pending => unreachable!("without an API key there is nobody to wait for"),
        }
    }
}

fn source(planner: &Planner) -> &Source {
    planner.sources.named(ground::SOURCE).expect("the configuration names it")
}

fn verify(source: &Source, headers: &HeaderMap, body: &Bytes) -> Verified {
    match source.receive(headers, body.clone(), ByteSize::mib(1), Timestamp::UNIX_EPOCH) {
        Ok(Received::Signed(verified)) => verified,
        _ => unreachable!("the signature is right"),
    }
}
