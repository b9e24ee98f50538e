//! Look-up 0: is this person in Personio already?

use jiff::Timestamp;

use super::Inner;
use super::carry::Next;
use super::gate::Door;
use super::typed::BY_HAND;
use crate::domain::{Effect, Event, Found, Held, Hire, LookUpZero, Warning};
use crate::personio::{CallError, Person};

/// So many addresses of a candidate are looked up besides the planned one.
const OTHER_ADDRESSES: usize = 4;

/// The note, and the warning, on a hire whose candidate has in Personio another address than the planned one. The
/// note stays when a person sends it, the warning with the address does not.
const BY_OTHER_EMAIL: &str = "found_by_other_email";

impl Inner {
    /// Look-up 0: is somebody with this e-mail address in Personio already?
    pub(super) async fn look_up(&self, hire: &mut Hire) -> Next {
        if self.waits_for_its_source(hire) {
            hire.note("source_removed");
            // If it was this one's turn to try the credential, it is the next one's now.
            self.gate.probe_at(self.now());
            self.due.notify_one();
            return self.stop(hire, &Event::Planned(Some(Held::Review))).await;
        }
        let found = match self.find_anywhere(hire).await {
            Ok(found) => found,
            Err(error) => return self.put_off(hire, &error).await,
        };
        let (found, person) = found;
        hire.look_up_zero = match found {
            Found::Absent => LookUpZero::Absent,
            Found::NotAllowed => LookUpZero::NotAllowed,
            Found::Active | Found::Inactive | Found::Ours => hire.look_up_zero,
        };
        if found == Found::NotAllowed {
            hire.note("not_looked_up");
            if let Some(refusal) = self.refused_unseen(hire) {
                self.apply(hire, &refusal)?;
                self.save(hire).await?;
                return Ok(Effect::Rest);
            }
        }
        let stranger = person.is_some() && found != Found::Ours;
        // Whoever has left comes back by Personio's own steps, also if it was we who created them once.
        let second = stranger && self.is_second_hire(hire).await? && found != Found::Inactive;
        let effect = self.apply(hire, &if second { Event::SamePerson } else { Event::LookedUp(found) })?;
        if let Some(person) = person {
            self.belongs_to(hire, &person);
            self.save(hire).await?;
        }
        Ok(effect)
    }

    /// Who has the planned address or, if nobody has, another one of the candidate's: an active one before an
    /// inactive one.
    async fn find_anywhere(&self, hire: &mut Hire) -> Result<(Found, Option<Person>), CallError> {
        let planned = self.find(hire).await?;
        // Whoever has seen that and sends all the same says that it is somebody else.
        let overruled = hire.flags.approved && hire.notes().any(|note| note == BY_OTHER_EMAIL);
        if planned.0 != Found::Absent || overruled {
            return Ok(planned);
        }
        let others = hire.other_addresses();
        if others.len() > OTHER_ADDRESSES {
            hire.note("not_all_emails_looked_up");
        }
        let deadline = self.call_deadline();
        let mut found = (planned, None);
        for address in others.into_iter().take(OTHER_ADDRESSES) {
            let there = self.find_address(hire, &address, deadline).await?;
            let better = there.0 == Found::Inactive && found.1.is_none();
            let best = matches!(there.0, Found::Active | Found::Ours);
            if better || best {
                found = (there, Some(address));
            }
            if best {
                break;
            }
        }
        if let (_, Some(address)) = &found {
            hire.note(BY_OTHER_EMAIL);
            hire.record.warnings.retain(|warning| warning.code != BY_OTHER_EMAIL);
            let address = Some(address.as_str().into());
            hire.record.warnings.push(Warning::about(BY_OTHER_EMAIL, "email", address));
        }
        Ok(found.0)
    }

    /// Whether the source that the hire came from is no longer configured, and nobody has said that the hire is to
    /// go all the same: its rules are gone, and nobody may want its hires any more.
    pub(super) fn waits_for_its_source(&self, hire: &Hire) -> bool {
        let is_configured = || self.parts.planner.sources.named(&hire.source).is_some();
        !hire.flags.approved && hire.source != BY_HAND && !is_configured()
    }

    /// Why a hire must not be sent without a look-up, if it must not.
    fn refused_unseen(&self, hire: &mut Hire) -> Option<Event> {
        if hire.flags.after_unknown {
            return Some(Event::Spent);
        }
        let must_be_seen = self.parts.settings.require_lookup && !hire.flags.approved;
        (self.may_be_forgotten(hire) || must_be_seen).then_some(Event::Planned(Some(Held::Review)))
    }

    /// Who has the planned e-mail address, as far as the credential may tell.
    pub(super) async fn find(&self, hire: &Hire) -> Result<(Found, Option<Person>), CallError> {
        self.find_address(hire, hire.record.plan.employee.email(), self.call_deadline()).await
    }

    async fn find_address(
        &self,
        hire: &Hire,
        email: &str,
        deadline: Timestamp,
    ) -> Result<(Found, Option<Person>), CallError> {
        let people = match self.parts.reader.find_by_email(email, deadline).await {
            Ok(people) => people,
            Err(CallError::NotAllowed) => return Ok((Found::NotAllowed, None)),
            Err(error) => return Err(error),
        };
        self.credential_works(Door::Token);
        let ours = people.iter().find(|person| self.is_marked(hire, person));
        let active = people.iter().find(|person| !person.is_inactive());
        Ok(match (ours.or(active), people.first()) {
            (Some(person), _) if ours.is_some() => (Found::Ours, Some(person.clone())),
            (Some(person), _) => (Found::Active, Some(person.clone())),
            (None, Some(person)) => (Found::Inactive, Some(person.clone())),
            (None, None) => (Found::Absent, None),
        })
    }
}
