//! People are erased: what is left of them in the ledger, in its files, and for whoever asks.

use hirebridge::domain::{
    Actor, Document, DocumentId, DocumentKind, Event, File, Hire, Outcome, Place, State,
};
use hirebridge::ledger::privacy::{Access, Erasure, Look};
use hirebridge::ledger::{Accepted, Denied, Ledger};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::ledger::{at, delivery, key, permit, ready, received, save, stored, take};

/// The part of every ledger's story that is about people who are erased.
pub(crate) async fn persons_are_erased(ledger: &dyn Ledger) {
    nothing_personal_is_left_and_a_repeat_is_known(ledger).await;
    what_is_on_its_way_is_erased_when_it_has_ended(ledger).await;
    an_erased_person_is_not_sent_again(ledger).await;
    what_has_ended_is_erased_in_its_time(ledger).await;
    who_looked_is_noted_once_an_hour(ledger).await;
}

async fn erase(ledger: &dyn Ledger, hire: &Hire) -> Erasure {
    let actor = Actor::Operator("ada".into());
    ledger.privacy().erase(hire.id, &actor, at(50)).await.expect("asked")
}

async fn state(ledger: &dyn Ledger, hire: &Hire) -> State {
    ledger.hire(hire.id).await.expect("read").expect("it is there").state()
}

async fn created(ledger: &dyn Ledger, application: &str) -> Hire {
    let mut hire = ready(ledger, application).await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    hire.employee = Some(4711);
    save(ledger, &mut hire, &[Event::Called(Outcome::Created { employee: 4711 })]).await;
    hire
}

fn file(hire: &Hire) -> Document {
    let file = File {
        id: "file".into(),
        kind: DocumentKind::Resume,
        name: "Mia.pdf".into(),
        date: None,
        place: Place::Handle("handle".into()),
    };
    Document::of(file, hire.id, DocumentId(Uuid::now_v7()), at(0))
}

async fn nothing_personal_is_left_and_a_repeat_is_known(ledger: &dyn Ledger) {
    let hire = created(ledger, "erased").await;
    let document = file(&hire);
    ledger.shelf().add(std::slice::from_ref(&document)).await.expect("added");
    let fill = Uuid::now_v7();
    ledger.shelf().keep(document.id, fill, 0, b"chunk").await.expect("kept");
    assert_eq!(ledger.privacy().of_email("erased@example.org").await.expect("read"), [hire.id]);
    assert_eq!(ledger.privacy().of_employee(4711).await.expect("read"), [hire.id]);
    assert_eq!(erase(ledger, &hire).await, Erasure::Erased);

    let left = ledger.hire(hire.id).await.expect("read").expect("that it was is known");
    assert_eq!((left.state(), left.employee, left.next_at), (State::Erased, None, None));
    assert_eq!(left.key.application, "");
    assert!(left.record == hirebridge::domain::hire::Record::default());
    assert!(ledger.bodies(hire.id).await.expect("read").is_empty());
    assert!(ledger.shelf().of(&[hire.id]).await.expect("read").is_empty());
    assert_eq!(ledger.shelf().chunk(document.id, fill, 0).await.expect("read"), None);
    assert!(ledger.privacy().of_employee(4711).await.expect("read").is_empty());
    let history = ledger.history(hire.id).await.expect("read");
    let last = history.last().expect("a history");
    assert_eq!((last.cause.as_str(), last.actor.as_str()), ("erased", "operator:ada"));
    assert_eq!(last.from.as_deref(), Some("created"));

    let repeat = ledger.accept(received("erased"), delivery("{\"again\": 1}")).await.expect("stored");
    let Accepted::Repeat(repeat) = repeat else { panic!("a second hire") };
    assert_eq!((repeat.id, repeat.state()), (hire.id, State::Erased));
    let unhired = ledger.unhire(&key("erased"), None, delivery("{\"un\": 1}")).await.expect("stored");
    assert_eq!(unhired.map(|hire| hire.id), Some(hire.id));
    assert!(ledger.bodies(hire.id).await.expect("read").is_empty(), "nothing is stored again");
    ledger.shelf().add(&[file(&hire)]).await.expect("asked");
    ledger.shelf().keep(document.id, fill, 1, b"late").await.expect("asked");
    assert!(ledger.shelf().of(&[hire.id]).await.expect("read").is_empty());
    assert_eq!(ledger.shelf().chunk(document.id, fill, 1).await.expect("read"), None);
    assert_eq!(erase(ledger, &hire).await, Erasure::Absent, "it was before");
    assert_eq!(erase(ledger, &received("never stored")).await, Erasure::Absent);
}

async fn what_is_on_its_way_is_erased_when_it_has_ended(ledger: &dyn Ledger) {
    let unknown = || Event::Called(Outcome::Unknown { what: "timeout".into() });
    let mut hire = ready(ledger, "on-its-way").await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    assert_eq!(erase(ledger, &hire).await, Erasure::Requested);
    save(ledger, &mut hire, &[unknown()]).await;
    assert_eq!(state(ledger, &hire).await, State::Unknown, "nobody knows yet");
    assert_eq!(erase(ledger, &hire).await, Erasure::Requested);
    save(ledger, &mut hire, &[Event::NotFound]).await;
    assert_eq!(state(ledger, &hire).await, State::Erased);
    assert!(ledger.save(&mut hire).await.is_err(), "whoever has it in hand hears of it");
    let causes: Vec<_> =
        ledger.history(hire.id).await.expect("read").into_iter().map(|entry| entry.cause).collect();
    assert_eq!(causes.iter().filter(|cause| *cause == "erase_requested").count(), 1, "{causes:?}");

    let mut unsent = ready(ledger, "unsent").await;
    assert_eq!(erase(ledger, &unsent).await, Erasure::Erased);
    assert!(permit(ledger, &mut unsent).await.is_err(), "it is never sent");
}

async fn an_erased_person_is_not_sent_again(ledger: &dyn Ledger) {
    let sent = created(ledger, "sent-and-erased").await;
    let mut linked = ready(ledger, "linked-and-erased").await;
    save(ledger, &mut linked, &[Event::SamePerson, Event::Linked]).await;
    for (first, address) in [(sent, "sent-and-erased@example.org"), (linked, "linked-and-erased@example.org")]
    {
        assert_eq!(erase(ledger, &first).await, Erasure::Erased);
        let mut again = received(&format!("again-{address}"));
        again.record.facts.put("candidate.email", address);
        let mut again = stored(ledger, again).await;
        save(ledger, &mut again, &[Event::Planned(None)]).await;
        let denied = permit(ledger, &mut again).await.expect("asked");
        assert_eq!(denied, Err(Denied::SamePerson(first.id)), "{address}");
    }
}

async fn what_has_ended_is_erased_in_its_time(ledger: &dyn Ledger) {
    let old = at(1_000_000);
    let ended = ledger.privacy().erase_ended(at(1), at(60), 1_000).await.expect("asked");
    assert!(ended.is_empty(), "nothing is so old yet: {ended:?}");
    let created = created(ledger, "old-created").await;
    let mut flagged = ready(ledger, "old-flagged").await;
    flagged.flags.double = true;
    save(ledger, &mut flagged, &[Event::Unhired]).await;
    let mut held = ready(ledger, "old-held").await;
    save(ledger, &mut held, &[Event::SamePerson]).await;
    let mut dismissed = ready(ledger, "old-dismissed").await;
    take(&mut dismissed, &Event::SamePerson);
    dismissed.flags.dismissed = true;
    ledger.save(&mut dismissed).await.expect("saved");
    let waiting = ready(ledger, "old-waiting").await;
    let mut erased = Vec::new();
    loop {
        let some = ledger.privacy().erase_ended(old, at(60), 3).await.expect("asked");
        assert!(some.len() <= 3);
        if some.is_empty() {
            break;
        }
        erased.extend(some);
    }
    let is_erased = |hire: &Hire| erased.contains(&hire.id);
    assert!(is_erased(&created) && is_erased(&dismissed));
    assert!(!is_erased(&flagged) && !is_erased(&held), "a person is needed");
    assert!(!is_erased(&waiting), "it has not ended");
    assert_eq!(state(ledger, &created).await, State::Erased);
}

async fn who_looked_is_noted_once_an_hour(ledger: &dyn Ledger) {
    let hire = ready(ledger, "looked-at").await;
    let hour = |hours: i64| at(0) + SignedDuration::from_hours(hours);
    let looked = async |operator: &str, look, now| {
        ledger.privacy().looked(hire.id, operator, look, now).await.expect("noted");
    };
    for _ in 0..3 {
        looked("ada", Look::Opened, hour(5)).await;
    }
    looked("ada", Look::Exported, hour(5)).await;
    looked("bob", Look::Opened, hour(7)).await;
    let accesses = async || ledger.privacy().accesses(hire.id).await.expect("read");
    let told: Vec<_> = accesses()
        .await
        .into_iter()
        .map(|Access { operator, what, hour }| format!("{operator} {what} {}", hour.as_second() % 3600))
        .collect();
    assert_eq!(told, ["ada exported 0", "ada opened 0", "bob opened 0"], "the earlier hour first");
    ledger.privacy().forget_accesses(hour(7)).await.expect("forgotten");
    assert_eq!(accesses().await.len(), 1);
}
