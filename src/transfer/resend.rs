//! The one exception: a hire with an unknown outcome is sent again by itself, once, if the customer has said so. It
//! is meant for those who know that Personio refuses a second employee with the same address.

use jiff::{SignedDuration, Timestamp};

use super::Inner;
use super::carry::Next;
use super::desk::QUIET;
use crate::domain::history::RESENT;
use crate::domain::{Event, Hire};

/// What is wrong with the setting, if anything is. The time is counted from the moment at which we gave the call up.
pub(super) fn objection(after: SignedDuration, look_for: SignedDuration) -> Option<String> {
    if after < QUIET {
        return Some(format!(
            "must be at least {QUIET:#}: until then Personio may still carry out the first call, and there would be two employees"
        ));
    }
    (after >= look_for)
        .then(|| format!("must be shorter than {look_for:#}, after which a hire is handed to a person"))
}

impl Inner {
    /// When the hire may be sent again by itself, if it may.
    pub(super) fn resend_at(&self, hire: &Hire) -> Option<Timestamp> {
        let after = self.parts.settings.resend_after_unknown?;
        let may = !hire.flags.after_unknown && !hire.flags.unhired;
        hire.since.filter(|_| may).map(|since| since + after)
    }

    /// The quiet time is over and nobody was found. Asks once more, more strictly: an answer that could hide
    /// somebody is no permission.
    pub(super) async fn resend(&self, hire: &mut Hire) -> Next {
        let email = hire.record.plan.employee.email();
        match self.parts.reader.is_surely_absent(email, self.call_deadline()).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return self.look_later_or_ask(hire).await,
        }
        let effect = self.apply(hire, &Event::Resent)?;
        hire.flags.after_unknown = true;
        hire.note(RESENT);
        (hire.since, hire.tries, hire.next_at) = (None, 0, Some(self.now()));
        self.save(hire).await?;
        tracing::warn!(hire = %hire.id, "nobody was found after an unknown outcome: the hire is sent again, once");
        Ok(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_which_the_first_call_may_still_act_is_refused() {
        let day = SignedDuration::from_hours(24);
        assert!(objection(QUIET - SignedDuration::from_secs(1), day).is_some());
        assert_eq!(objection(QUIET, day), None);
        assert!(objection(day, day).is_some());
    }
}
