//! A Personio to practise with: a stateful simulator of Personio v1 over real HTTP, which misbehaves on request.
//!
//! It stands for the outside world, so it shares no type with the code that talks to Personio: a wrong field name
//! cannot pass by being wrong on both sides. It is strict: an unknown field, a wrong type, a missing required field,
//! a wrong `Content-Type`, an unknown parameter or path is refused (422 or 404) and recorded as a *violation*, a
//! sentence that names what was wrong and holds no value. A call without `X-Personio-App-ID` is a violation too, but is
//! answered, as Personio does.
//!
//! Personio's own facts: <https://github.com/personio/api-docs>. Where it documents nothing, [`Manner`] has a switch
//! for each plausible answer.
//!
//! ```no_run
//! # async fn story() -> Result<(), hirebridge::sim::SimError> {
//! use hirebridge::sim::{Behaviour, Fault, Operation, Options, Sim};
//! let sim = Sim::start(Options::default()).await?;
//! sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Reset).done());
//! // … one create against sim.url(): the person is stored, the answer is lost …
//! assert_eq!((sim.creates(), sim.employees().len()), (1, 1));
//! # Ok(()) }
//! ```
//!
//! # Control over HTTP
//!
//! | call | what |
//! |---|---|
//! | `POST /_sim/faults` | adds one fault, as below |
//! | `DELETE /_sim/faults` | clears all faults, and shows everybody who was invisible |
//! | `GET /_sim/requests` | what arrived: `[{number, operation, method, path, query, bearer, app_id, partner_id, content_type, body, outcome}]` |
//! | `GET /_sim/violations` | `["request 3 (create_employee): unknown field employee.team"]` |
//! | `GET /_sim/employees` · `GET /_sim/documents` | what is stored |
//! | `GET /_sim/manner` · `PUT /_sim/manner` | the switches; what a `PUT` leaves out returns to its default |
//! | `POST /_sim/token/revoke` | the token of the moment is no longer accepted |
//! | `POST /_sim/late/release` | does the work of all calls with `"work": {"late": {}}` |
//! | `POST /_sim/answers/release` | lets the answers go that a `"wait"` holds |
//!
//! A fault is `{"operation": …, "times": 2, "work": "done", "behaviour": …}`. Without `times` it holds until cleared.
//! Operations: `any`, `auth`, `create_employee`, `list_employees`, `get_employee`, `update_employee`,
//! `list_attributes`, `list_categories`, `upload_document`. Work: `"undone"`, `"done"`, `{"late": {"ms": 500}}` or
//! `{"late": {}}`; left out, it is as the behaviour implies. Behaviours:
//!
//! ```json
//! {"latency": {"ms": 250}}
//! "wait"
//! "german"
//! {"invisible": {"lookups": 2}}
//! {"invisible": {"ms": 5000}}
//! "revoke_token"
//! {"status": {"code": 503, "body": {"success": false}, "retry_after": "7"}}
//! "refused"
//! "html"
//! "without_id"
//! "half_body"
//! "cut"
//! "reset"
//! "hang"
//! ```

mod answer;
mod attributes;
mod auth;
mod calendar;
mod call;
mod company;
mod control;
mod documents;
mod draft;
mod employees;
mod faults;
mod fitting;
mod limits;
mod manner;
mod operation;
mod person;
mod record;
mod seed;
mod serve;
mod state_file;
#[cfg(test)]
mod tests;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::net::TcpListener;

pub use faults::{Behaviour, Fault, Work};
pub use limits::Elapsed;
pub use manner::{Language, Manner, MetaShape, Rights, TagsShape, TakenEmail, Unfit};
pub use operation::Operation;
pub use person::{Gender, Person, Status, Stored, StoredDocument};
pub use record::{Bearer, Outcome, Recorded};
pub use seed::{Attribute, AttributeKind, Seed};

use auth::Tokens;
use calendar::Calendar;
use company::Company;
use limits::Limits;
use serve::House;
use state_file::StateFile;
use world::World;

/// How a simulator starts.
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The company.
    pub seed: Seed,
    /// The file that keeps people and documents; without one they live in memory.
    pub data: Option<PathBuf>,
    /// The simulator's day, for the status that follows from a hire date; without one the system's.
    pub today: Option<Date>,
    /// The switches at the start.
    pub manner: Manner,
    /// The time by which the rate of calls is limited, if that is switched on; without one the system's.
    pub elapsed: Option<Elapsed>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            seed: Seed::default(),
            data: None,
            today: None,
            manner: Manner::default(),
            elapsed: None,
        }
    }
}

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address cannot be listened on.
    #[error("the simulator cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The data file cannot be read, written or understood.
    #[error("the simulator's data file {} cannot be used", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A running simulator. It stops when it is dropped.
pub struct Sim {
    address: SocketAddr,
    house: Arc<House>,
}

impl Sim {
    /// Starts to serve in a task of its own.
    ///
    /// # Errors
    ///
    /// [`SimError`] if the address or the data file cannot be used.
    pub async fn start(options: Options) -> Result<Self, SimError> {
        let address = options.listen;
        let world = world(options)?;
        let refused = |source| SimError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let house = Arc::new(House::new(world));
        house.tasks.spawn(serve::serve(listener, Arc::clone(&house)));
        Ok(Self { address, house })
    }

    /// Stops, cutting what is open, and waits until the port is free.
    pub async fn stop(self) {
        self.house.stopping.cancel();
        self.house.tasks.close();
        self.house.tasks.wait().await;
    }

    /// `http://127.0.0.1:<port>`, to be used in place of `https://api.personio.de`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a fault.
    pub fn misbehave(&self, fault: Fault) {
        self.house.world().faults.add(fault);
    }

    /// Clears all faults, and shows everybody who was invisible.
    pub fn behave(&self) {
        let mut world = self.house.world();
        world.faults.clear();
        world.company.reveal_all();
    }

    /// Changes the switches.
    pub fn adjust(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.house.world().manner);
    }

    /// The token of the moment is no longer accepted; the next `/v1/auth` gives another.
    pub fn revoke_token(&self) {
        self.house.world().tokens.revoke();
    }

    /// The client secret is another one: the old one, and the token that it got, are no longer accepted.
    pub fn change_secret(&self, secret: &str) {
        self.house.world().tokens.change_secret(secret);
    }

    /// Does the work of all calls that were to be carried out later; how many there were.
    pub fn release_late(&self) -> usize {
        self.house.world().release_late()
    }

    /// Lets the answers go that a [`Behaviour::Wait`] holds.
    pub fn release_answers(&self) {
        self.house.answers.send_replace(());
    }

    /// Somebody types a person into Personio by hand; the id.
    pub fn add(&self, person: Person) -> u64 {
        let mut world = self.house.world();
        let id = world.company.add(person);
        world.save();
        id
    }

    /// Somebody makes an attribute of the company's own in the settings, or changes the one with this key.
    pub fn set_attribute(&self, attribute: Attribute) {
        let mut world = self.house.world();
        let own = &mut world.company.attributes;
        own.retain(|known| known.key != attribute.key);
        own.push(attribute);
    }

    /// All employees, by id.
    pub fn employees(&self) -> Vec<Stored> {
        self.house.world().company.employees.values().cloned().collect()
    }

    /// All documents, in the order of their upload.
    pub fn documents(&self) -> Vec<StoredDocument> {
        self.house.world().company.documents.clone()
    }

    /// What arrived, oldest first; the latest 10 000.
    pub fn requests(&self) -> Vec<Recorded> {
        self.house.world().log.requests().cloned().collect()
    }

    /// How many calls of an operation arrived, ever.
    pub fn calls(&self, operation: Operation) -> usize {
        self.house.world().log.calls(operation)
    }

    /// How many create calls arrived, ever, whatever became of them.
    pub fn creates(&self) -> usize {
        self.calls(Operation::CreateEmployee)
    }

    /// What callers did that they must never do.
    pub fn violations(&self) -> Vec<String> {
        self.house.world().log.violations().to_vec()
    }

    /// Waits until the nth call of an operation has arrived and the work that was due with it is done.
    pub async fn arrival(&self, operation: Operation, nth: usize) {
        let mut arrivals = self.house.arrivals.subscribe();
        while self.calls(operation) < nth {
            arrivals.changed().await.expect("the sender lives as long as the simulator");
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.house.stopping.cancel();
    }
}

fn world(options: Options) -> Result<World, SimError> {
    let Options { mut seed, data, today, manner, elapsed, .. } = options;
    let tokens = Tokens::new(std::mem::take(&mut seed.client_id), std::mem::take(&mut seed.client_secret));
    let people = std::mem::take(&mut seed.employees);
    let mut company = Company::new(seed, Calendar::new(today));
    let file = data.map(StateFile::new);
    match file.as_ref().map(StateFile::load).transpose()?.flatten() {
        Some(saved) => {
            saved.employees.into_iter().for_each(|stored| company.restore(stored));
            company.documents = saved.documents;
        }
        None => people.into_iter().for_each(|person| {
            company.add(person);
        }),
    }
    if let Some(file) = &file {
        file.save(&company)?; // a file that cannot be written is found now, not in the middle of a hire
    }
    Ok(World::new(company, tokens, manner, Limits::new(elapsed), file))
}
