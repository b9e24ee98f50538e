//! What a payload says, by the places that the configuration names.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::super::{Envelope, Event, Hired, Misread, fit_for_log, is_id, names};
use super::test::{Handshake, Place, first, single, word};
use super::{Reading, time};
use crate::domain::{Facts, NameSplit};

/// A handshake is no hire.
pub(super) const HANDSHAKE: &str = "handshake";

/// The event's name where a sender has none.
const DELIVERY: &str = "delivery";

impl Reading {
    /// What the headers say. A header that should tell the event and does not come tells none that is used.
    pub(super) fn envelope(&self, headers: &HeaderMap) -> Envelope {
        let mut envelope = Envelope::default();
        if let Some(Place::Header(name)) = &self.id {
            envelope.delivery_id = single(headers, name).filter(|id| is_id(id)).map(str::to_owned);
        }
        if let Some(test) = &self.event
            && let Place::Header(name) = &test.place
        {
            envelope.event = Some(fit_for_log(single(headers, name).unwrap_or_default()));
            if test.passes_headers(headers) != Some(true) {
                envelope.nothing = Some("event_not_used");
            }
        }
        if let Some(test) = self.hired.as_ref().filter(|test| matches!(test.place, Place::Header(_)))
            && test.passes_headers(headers) != Some(true)
        {
            envelope.nothing = envelope.nothing.or(Some("not_hired"));
        }
        if let Some(Handshake::Equal(test)) = &self.handshake
            && test.passes_headers(headers) == Some(true)
        {
            envelope.nothing = Some(HANDSHAKE);
        }
        envelope
    }

    /// What the payload says.
    pub(super) fn event(&self, payload: &Value) -> Result<Event, Misread> {
        let event = self.event.as_ref().and_then(|test| test.word(payload));
        let event = event.map_or_else(|| DELIVERY.to_owned(), |event| fit_for_log(&event));
        let ignored = |reason| Ok(Event::Ignored { event: event.clone(), reason });
        if let Some(Handshake::Equal(test)) = &self.handshake
            && test.passes(payload) == Some(true)
        {
            return ignored("handshake");
        }
        if let Some(test) = &self.event
            && let Place::Path(path) = &test.place
        {
            match test.passes(payload) {
                Some(true) => {}
                Some(false) => return ignored("event_not_used"),
                None => return Err(Misread::at(path.to_string())),
            }
        }
        if let Some(test) = &self.hired
            && let Place::Path(path) = &test.place
        {
            match test.passes(payload) {
                Some(true) => {}
                Some(false) => return ignored("not_hired"),
                // A path that is mistyped must not lose hires in silence.
                None => return Err(Misread::at(path.to_string())),
            }
        }
        let application = self.application(payload)?;
        let hired = self.hired(payload, &application, event);
        let with_key = |misread| Misread { application: Some(application.clone()), ..misread };
        hired.map(|hired| Event::Hire(Box::new(hired))).map_err(with_key)
    }

    fn application(&self, payload: &Value) -> Result<String, Misread> {
        let mut parts = Vec::new();
        for path in &self.application {
            let part = path.query(payload).exactly_one().ok().and_then(word);
            parts.push(part.ok_or_else(|| Misread::at(path.to_string()))?);
        }
        let id = parts.join("_");
        let place = || self.application.first().map_or_else(String::new, ToString::to_string);
        if is_id(&id) { Ok(id) } else { Err(Misread::at(place())) }
    }

    fn hired(&self, payload: &Value, application: &str, event: String) -> Result<Hired, Misread> {
        let mut facts = Facts::new();
        for fact in &self.facts {
            fact.note(payload, &mut facts)?;
        }
        if facts.value("application.id").is_none() {
            facts.put("application.id", application);
        }
        let delivery_id = match &self.id {
            Some(Place::Path(path)) => first(path, payload).and_then(word).filter(|id| is_id(id)),
            _ => None,
        };
        Ok(Hired {
            application: application.to_owned(),
            name_split: split_name(&mut facts),
            facts,
            at: self.at.as_ref().map(|path| time(path, payload)).transpose()?.flatten(),
            event,
            delivery_id: delivery_id.map(std::borrow::Cow::into_owned),
            ids: BTreeMap::new(),
            notes: Vec::new(),
            files: Vec::new(),
            to_confirm: false,
            settled: true,
        })
    }
}

/// Makes two names of one, if there is only one.
fn split_name(facts: &mut Facts) -> Option<NameSplit> {
    let known = ["candidate.first_name", "candidate.last_name"];
    if known.iter().any(|name| facts.value(name).is_some()) {
        return None;
    }
    let name = facts.text("candidate.full_name")?.to_owned();
    let split = names::split(&name)?;
    facts.put("candidate.first_name", split.first);
    facts.put("candidate.last_name", split.last);
    Some(split.how)
}
