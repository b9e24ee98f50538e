//! What goes wrong at Personio during the storm: every misbehaviour that the simulator knows, in an order that
//! the seed decides, so many to a hundred calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use hirebridge::sim::{
    Behaviour, Fault, Language, Manner, MetaShape, Operation, Sim, TagsShape, TakenEmail, Unfit, Work,
};
use serde_json::json;

/// Of a hundred calls of an operation so many go wrong.
const BAD: [(Operation, u8); 6] = [
    (Operation::CreateEmployee, 40),
    (Operation::UploadDocument, 25),
    (Operation::ListEmployees, 8),
    (Operation::GetEmployee, 8),
    (Operation::Auth, 8),
    (Operation::ListAttributes, 20),
];

/// How often the weather looks how many calls there were.
const LOOK: Duration = Duration::from_millis(5);

/// A Personio that takes an address twice: nothing but hirebridge itself prevents a double.
pub(crate) fn fair() -> Manner {
    Manner { taken_email: TakenEmail::Accepted, ..Manner::default() }
}

/// What went wrong.
#[derive(Default)]
pub(crate) struct Weather {
    /// How many faults of each kind were set.
    pub(crate) faults: BTreeMap<&'static str, usize>,
    /// How often the switches were other than usual.
    pub(crate) spells: usize,
}

impl Weather {
    /// Blows until the storm is over, then lets everything go that was held back.
    pub(crate) async fn blow(mut self, sim: &Sim, rng: &mut Rng, over: impl Future<Output = ()>) -> Self {
        tokio::pin!(over);
        let mut decks = BAD.map(|(operation, percent)| Deck::new(operation, percent));
        let mut looks = tokio::time::interval(LOOK);
        let mut until_spell = 100;
        loop {
            tokio::select! {
                () = &mut over => break,
                _ = looks.tick() => {}
            }
            for deck in &mut decks {
                self.deal(deck, sim, rng);
            }
            if rng.u8(..40) == 0 {
                sim.release_answers();
            }
            if rng.u8(..=255) == 0 {
                sim.release_late();
            }
            until_spell -= 1;
            if until_spell == 0 {
                until_spell = self.turn(sim, rng);
            }
        }
        sim.adjust(|manner| *manner = fair());
        sim.behave();
        sim.release_answers();
        sim.release_late();
        self
    }

    /// Sets the faults that are due for the calls since the last look.
    fn deal(&mut self, deck: &mut Deck, sim: &Sim, rng: &mut Rng) {
        let calls = sim.calls(deck.operation);
        for _ in deck.calls..calls {
            if rng.u8(..100) < deck.percent {
                for fault in deck.draw(rng) {
                    *self.faults.entry(name(&fault.behaviour)).or_default() += 1;
                    sim.misbehave(fault);
                }
            }
        }
        deck.calls = calls;
    }

    /// Turns the switches to something else, or back; for how many looks.
    fn turn(&mut self, sim: &Sim, rng: &mut Rng) -> u32 {
        let usual = rng.bool();
        // Without the right to read whatever is unknown is given up at once: seldom, or there is nothing to adopt.
        let first = usize::from(rng.u8(..4) > 0);
        let spell = rng.choice(&SPELLS[first..]).expect("there are some");
        sim.adjust(|manner| {
            *manner = fair();
            if !usual {
                spell(manner);
            }
        });
        self.spells += usize::from(!usual);
        rng.u32(20..120)
    }
}

/// The misbehaviours for one operation, shuffled; each comes before any comes again.
struct Deck {
    operation: Operation,
    percent: u8,
    calls: usize,
    left: Vec<Bundle>,
}

/// What goes wrong with one call.
type Bundle = Vec<Fault>;

impl Deck {
    fn new(operation: Operation, percent: u8) -> Self {
        Self { operation, percent, calls: 0, left: Vec::new() }
    }

    fn draw(&mut self, rng: &mut Rng) -> Bundle {
        if self.left.is_empty() {
            self.left = faults(self.operation, rng);
            rng.shuffle(&mut self.left);
        }
        self.left.pop().expect("it was filled")
    }
}

/// Every misbehaviour that makes sense for the operation.
fn faults(operation: Operation, rng: &mut Rng) -> Vec<Bundle> {
    let fault = |behaviour| Fault::once(operation, behaviour);
    let once = |behaviour| vec![fault(behaviour)];
    let mut all: Vec<Bundle> = vec![
        once(Behaviour::Latency { ms: rng.u64(20..400) }),
        once(Behaviour::Wait),
        once(Behaviour::German),
        once(Behaviour::RevokeToken),
        once(Behaviour::too_many(None)),
        once(Behaviour::too_many(Some("1"))),
        once(Behaviour::too_many(Some("soon"))),
        once(Behaviour::status(401)),
        once(Behaviour::status(403)),
        once(Behaviour::Refused),
        once(Behaviour::WithoutId),
    ];
    let lost = [
        Behaviour::Cut,
        Behaviour::Reset,
        Behaviour::Hang,
        Behaviour::status(500),
        Behaviour::status(502),
        unavailable(),
        Behaviour::status(504),
        Behaviour::status(408),
        Behaviour::Html,
        Behaviour::HalfBody,
    ];
    if ![Operation::CreateEmployee, Operation::UploadDocument].contains(&operation) {
        all.extend(lost.map(once));
        return all;
    }
    let late = Work::Late { ms: Some(rng.u64(10..2_500)) };
    for work in [Work::Undone, Work::Done, late, Work::Late { ms: None }] {
        all.extend(lost.iter().map(|behaviour| vec![fault(behaviour.clone()).work(work)]));
    }
    if operation == Operation::UploadDocument {
        all.extend([404, 413, 422].map(|status| once(Behaviour::status(status))));
        return all;
    }
    all.push(vec![fault(Behaviour::Refused).done()]);
    for status in [400, 404, 409, 422] {
        all.push(once(Behaviour::status(status)));
        all.push(vec![fault(Behaviour::status(status)).done()]);
    }
    for invisible in [(Some(1), None), (Some(3), None), (None, Some(rng.u64(100..1_500)))] {
        let (lookups, ms) = invisible;
        let invisible = fault(Behaviour::Invisible { lookups, ms });
        all.extend([vec![invisible.clone()], vec![invisible, fault(Behaviour::Reset).done()]]);
    }
    all
}

fn unavailable() -> Behaviour {
    Behaviour::Status { code: 503, body: Some(json!({"success": false})), retry_after: Some("1".into()) }
}

type Spell = fn(&mut Manner);

/// Times in which the switches are other than usual: rights that are taken away (first that to read), other
/// words and shapes.
const SPELLS: &[Spell] = &[
    |manner| (manner.rights.employees_read, manner.refusal_status) = (false, 401),
    |manner| manner.rights.employees_write = false,
    |manner| manner.rights.attributes_read = false,
    |manner| manner.rights.documents_read = false,
    |manner| (manner.rights.employees_write, manner.refusal_status) = (false, 401),
    |manner| manner.readable_attributes = Some(vec!["email".into(), "department".into()]),
    |manner| manner.meta = MetaShape::Absent,
    |manner| manner.meta = MetaShape::Object,
    |manner| (manner.meta, manner.language) = (MetaShape::Objects, Language::German),
    |manner| manner.emails_ignore_case = true,
    |manner| manner.unknown_option = Unfit::Refused,
    |manner| manner.tags = TagsShape::JsonInString,
    |manner| manner.token_lifetime_s = 5,
    |manner| manner.taken_email = TakenEmail::Refused { status: 200, code: 0 },
];

/// The kind of a misbehaviour. A new one has to be named here, and dealt above.
fn name(behaviour: &Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Latency { .. } => "latency",
        Behaviour::Wait => "wait",
        Behaviour::German => "german",
        Behaviour::Invisible { .. } => "invisible",
        Behaviour::RevokeToken => "revoke_token",
        Behaviour::Status { .. } => "status",
        Behaviour::Refused => "refused",
        Behaviour::Html => "html",
        Behaviour::WithoutId => "without_id",
        Behaviour::HalfBody => "half_body",
        Behaviour::Cut => "cut",
        Behaviour::Reset => "reset",
        Behaviour::Hang => "hang",
    }
}

/// How many kinds there are to be dealt.
pub(crate) fn kinds() -> usize {
    let all = faults(Operation::CreateEmployee, &mut Rng::with_seed(0));
    all.iter().flatten().map(|fault| name(&fault.behaviour)).collect::<BTreeSet<_>>().len()
}
