//! `/_sim/…`: the same control over HTTP for a simulator that runs alone.

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Body, Call};
use super::faults::Fault;
use super::manner::Manner;
use super::serve::House;

pub(super) fn answer(call: &Call, house: &House) -> Answer {
    route(call, house).unwrap_or_else(|refusal| *refusal)
}

fn route(call: &Call, house: &House) -> Result<Answer, Box<Answer>> {
    let mut world = house.world();
    Ok(match (call.method(), call.path().trim_start_matches("/_sim/")) {
        (&Method::GET, "requests") => shown(world.log.requests().collect::<Vec<_>>()),
        (&Method::GET, "violations") => shown(world.log.violations()),
        (&Method::GET, "employees") => shown(world.company.employees.values().collect::<Vec<_>>()),
        (&Method::GET, "documents") => shown(&world.company.documents),
        (&Method::GET, "manner") => shown(&world.manner),
        (&Method::PUT, "manner") => {
            world.manner = sent::<Manner>(call)?;
            shown(&world.manner)
        }
        (&Method::POST, "faults") => {
            world.faults.add(sent::<Fault>(call)?);
            Answer::json(201, json!({"added": 1}))
        }
        (&Method::DELETE, "faults") => {
            world.faults.clear();
            world.company.reveal_all();
            shown(json!({"cleared": true}))
        }
        (&Method::POST, "late/release") => shown(json!({"released": world.release_late()})),
        (&Method::POST, "answers/release") => {
            house.answers.send_replace(());
            shown(json!({"released": true}))
        }
        (&Method::POST, "token/revoke") => {
            world.tokens.revoke();
            shown(json!({"revoked": true}))
        }
        _ => return Err(refused(404, "no such control; see the documentation of the simulator")),
    })
}

fn shown(value: impl Serialize) -> Answer {
    Answer::json(200, json!(value))
}

fn sent<T: DeserializeOwned>(call: &Call) -> Result<T, Box<Answer>> {
    let Body::Json(value) = &call.body else {
        return Err(refused(400, "the body must be JSON, with Content-Type: application/json"));
    };
    T::deserialize(value).map_err(|error| refused(400, &error.to_string()))
}

fn refused(status: u16, what: &str) -> Box<Answer> {
    Answer::json(status, Value::from_iter([("error", what)])).into()
}
