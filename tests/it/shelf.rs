//! The part of every ledger's story that is about documents.

use hirebridge::domain::document::Taken;
use hirebridge::domain::{
    Actor, Document, DocumentEvent, DocumentId, DocumentKind, DocumentState, Event, File, Flaw, Hire, HireId,
    Outcome, Place, Upload, UploadOutcome, Waiting,
};
use hirebridge::ledger::{Ledger, LedgerError, Withheld};
use uuid::Uuid;

use crate::ledger::{at, permit as permit_hire, ready, save as save_hire};

pub(crate) async fn documents_are_kept(ledger: &dyn Ledger) {
    files_come_once_and_in_their_order(ledger).await;
    a_file_comes_back_chunk_by_chunk_and_goes_when_it_is_sent(ledger).await;
    a_file_that_lies_for_long_is_found_and_can_go(ledger).await;
    a_document_waits_for_its_employee(ledger).await;
    a_documents_permit_is_granted_once(ledger).await;
    the_same_content_is_sent_once(ledger).await;
}

fn file(id: &str) -> File {
    File {
        id: id.into(),
        kind: DocumentKind::Resume,
        name: "Lebenslauf Mia.pdf".into(),
        date: None,
        place: Place::Handle("handle-1".into()),
    }
}

fn document(hire: &Hire, file_id: &str) -> Document {
    Document::of(file(file_id), hire.id, DocumentId(Uuid::now_v7()), at(0))
}

async fn all(ledger: &dyn Ledger, hire: HireId) -> Vec<Document> {
    ledger.shelf().of(&[hire]).await.expect("read")
}

async fn due(ledger: &dyn Ledger, seconds: i64) -> Vec<HireId> {
    ledger.shelf().due(at(seconds), 100).await.expect("read")
}

/// A hire with these files, all of them taken. The content is that of the same name.
async fn taken(ledger: &dyn Ledger, hire: &Hire, files: &[(&str, u8)]) -> Vec<Document> {
    let documents: Vec<_> = files.iter().map(|(id, _)| document(hire, id)).collect();
    ledger.shelf().add(&documents).await.expect("added");
    let mut documents = all(ledger, hire.id).await;
    for (document, (_, content)) in documents.iter_mut().zip(files) {
        let fill = Uuid::now_v7();
        ledger.shelf().keep(document.id, fill, 0, &[*content; 10]).await.expect("kept");
        (document.taken, document.content) = (Some(Taken { fill, size: 10 }), Some([*content; 32]));
        ledger.shelf().save(document).await.expect("saved");
    }
    documents
}

/// A document whose file was not taken yet.
pub(crate) async fn one_is_to_come(ledger: &dyn Ledger, hire: &Hire) {
    ledger.shelf().add(&[document(hire, "to-come")]).await.expect("added");
}

/// A stored hire with a document, whose file lies in the spool.
pub(crate) async fn one_file_is_kept(ledger: &dyn Ledger, application: &str) {
    let hire = ready(ledger, application).await;
    taken(ledger, &hire, &[("kept", 7)]).await;
}

async fn created(ledger: &dyn Ledger, application: &str) -> Hire {
    let mut hire = ready(ledger, application).await;
    assert_eq!(permit_hire(ledger, &mut hire).await.expect("asked"), Ok(1));
    hire.employee = Some(7);
    save_hire(ledger, &mut hire, &[Event::Called(Outcome::Created { employee: 7 })]).await;
    hire
}

async fn permit(ledger: &dyn Ledger, document: &mut Document) -> Result<Result<u32, Withheld>, LedgerError> {
    let upload = Upload {
        employee: 7,
        category: 1,
        title: "Lebenslauf".into(),
        date: None,
        comment: None,
        file_name: "Lebenslauf Mia.pdf".into(),
        size: 10,
    };
    let granted = ledger.shelf().permit(document, upload, &Actor::System, at(2), at(20)).await?;
    Ok(granted.map(|ticket| {
        assert_eq!((ticket.subject(), ticket.deadline()), (document.id.0, at(20)));
        ticket.number()
    }))
}

async fn save(ledger: &dyn Ledger, document: &mut Document, event: DocumentEvent) {
    document.apply(&event, &Actor::System, at(3)).expect("the step is allowed");
    ledger.shelf().save(document).await.expect("saved");
}

async fn files_come_once_and_in_their_order(ledger: &dyn Ledger) {
    let hire = ready(ledger, "files").await;
    let [a, b] = ["a", "b"].map(|id| document(&hire, id));
    ledger.shelf().add(&[a.clone(), b]).await.expect("added");
    ledger.shelf().add(&[document(&hire, "c"), document(&hire, "a")]).await.expect("added");
    let found = all(ledger, hire.id).await;
    let named: Vec<_> = found.iter().map(|one| (one.n, one.sheet.file.id.as_str())).collect();
    assert_eq!(named, [(1, "a"), (2, "b"), (3, "c")]);
    assert_eq!((found[0].id, found[0].sheet.file.name.as_str()), (a.id, "Lebenslauf Mia.pdf"));
    assert_eq!(found[0].state(), DocumentState::Pending);
    let other = ready(ledger, "files-of-another").await;
    ledger.shelf().add(&[document(&other, "a")]).await.expect("added");
    assert_eq!(ledger.shelf().of(&[hire.id, other.id]).await.expect("read").len(), 4);
    let mut stale = found[0].clone();
    let mut first = found[0].clone();
    save(ledger, &mut first, DocumentEvent::Unfit(Flaw::LinkDead)).await;
    let late = ledger.shelf().save(&mut stale).await;
    assert!(matches!(late, Err(LedgerError::Conflict)));
    assert_eq!(all(ledger, hire.id).await[0].state(), DocumentState::Failed(Flaw::LinkDead));
    let told = ledger.history(hire.id).await.expect("read");
    let last = told.last().expect("a line");
    assert_eq!((last.cause.as_str(), last.to.as_str()), ("document_failed:1:link_dead", "ready"));
    assert_eq!(last.from.as_deref(), Some("ready"), "the hire stays where it is");
}

async fn a_file_comes_back_chunk_by_chunk_and_goes_when_it_is_sent(ledger: &dyn Ledger) {
    let hire = created(ledger, "spool").await;
    ledger.shelf().add(&[document(&hire, "a")]).await.expect("added");
    let mut one = all(ledger, hire.id).await.remove(0);
    let (broken, fill) = (Uuid::now_v7(), Uuid::now_v7());
    ledger.shelf().keep(one.id, broken, 0, b"half").await.expect("kept");
    for (n, chunk) in [(0, b"first "), (1, b"second")] {
        ledger.shelf().keep(one.id, fill, n, chunk).await.expect("kept");
    }
    one.taken = Some(Taken { fill, size: 12 });
    one.content = Some([1; 32]);
    one.next_at = Some(at(0));
    ledger.shelf().save(&mut one).await.expect("saved");
    assert_eq!(all(ledger, hire.id).await[0].taken, one.taken);
    let id = one.id;
    let chunk = async |fill, n| ledger.shelf().chunk(id, fill, n).await.expect("read");
    assert_eq!(chunk(broken, 0).await, None, "what was begun in vain is gone");
    assert_eq!(chunk(fill, 0).await.as_deref(), Some(&b"first "[..]));
    assert_eq!(chunk(fill, 1).await.as_deref(), Some(&b"second"[..]));
    assert_eq!(chunk(fill, 2).await, None);
    assert_eq!(permit(ledger, &mut one).await.expect("asked"), Ok(1));
    assert!(chunk(fill, 0).await.is_some(), "it is needed until it is there");
    save(ledger, &mut one, DocumentEvent::Uploaded(UploadOutcome::Stored)).await;
    let (first, second) =
        (ledger.shelf().chunk(one.id, fill, 0).await, ledger.shelf().chunk(one.id, fill, 1).await);
    assert_eq!((first.expect("read"), second.expect("read")), (None, None));
}

async fn a_file_that_lies_for_long_is_found_and_can_go(ledger: &dyn Ledger) {
    let hire = created(ledger, "lies").await;
    let documents = taken(ledger, &hire, &[("a", 1), ("b", 2)]).await;
    let lying = async |before| {
        let all = ledger.shelf().lying_since(before).await.expect("read");
        all.into_iter().filter(|document| document.hire == hire.id).collect::<Vec<_>>()
    };
    assert_eq!(lying(at(0)).await.len(), 0, "not before its time");
    let [mut sent, other] = <[_; 2]>::try_from(documents).expect("two");
    assert_eq!(permit(ledger, &mut sent).await.expect("asked"), Ok(1));
    assert_eq!(lying(at(1000)).await.len(), 1, "what is being sent is needed");
    save(ledger, &mut sent, DocumentEvent::Uploaded(UploadOutcome::Stored)).await;
    let mut left = lying(at(1000)).await;
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [other.id]);
    let fill = left[0].taken.expect("it was taken").fill;
    left[0].taken = None;
    ledger.shelf().save(&mut left[0]).await.expect("saved");
    assert_eq!(ledger.shelf().chunk(other.id, fill, 0).await.expect("read"), None);
    assert!(lying(at(1000)).await.is_empty());
}

async fn a_document_waits_for_its_employee(ledger: &dyn Ledger) {
    let mut hire = ready(ledger, "waits").await;
    ledger.shelf().add(&[document(&hire, "a")]).await.expect("added");
    assert!(due(ledger, 0).await.contains(&hire.id), "it is to be taken");
    let mut one = all(ledger, hire.id).await.remove(0);
    one.next_at = Some(at(5));
    ledger.shelf().save(&mut one).await.expect("saved");
    assert!(!due(ledger, 4).await.contains(&hire.id));
    assert!(ledger.shelf().next_due().await.expect("read").is_some());
    (one.taken, one.content) = (Some(Taken { fill: Uuid::now_v7(), size: 10 }), Some([3; 32]));
    ledger.shelf().save(&mut one).await.expect("saved");
    assert!(!due(ledger, 99).await.contains(&hire.id), "there is no employee yet");
    assert_eq!(permit(ledger, &mut one).await.expect("asked"), Err(Withheld::HireChanged));
    assert_eq!(permit_hire(ledger, &mut hire).await.expect("asked"), Ok(1));
    assert!(!due(ledger, 99).await.contains(&hire.id));
    hire.employee = Some(7);
    save_hire(ledger, &mut hire, &[Event::Called(Outcome::Created { employee: 7 })]).await;
    assert!(due(ledger, 99).await.contains(&hire.id));
    hire.flags.unhired = true;
    ledger.save(&mut hire).await.expect("saved");
    assert_eq!(permit(ledger, &mut one).await.expect("asked"), Err(Withheld::HireChanged));
    assert_eq!(one.state(), DocumentState::Pending, "who was denied is not changed");
    (hire.flags.unhired, hire.employee) = (false, Some(8));
    ledger.save(&mut hire).await.expect("saved");
    assert_eq!(permit(ledger, &mut one).await.expect("asked"), Err(Withheld::HireChanged), "somebody else");
}

async fn a_documents_permit_is_granted_once(ledger: &dyn Ledger) {
    let hire = created(ledger, "document-once").await;
    let names = [("void", 11), ("refused", 12), ("unknown", 13), ("sent", 14)];
    let documents = taken(ledger, &hire, &names).await;
    let outcomes = [
        UploadOutcome::NotSent(Waiting::Throttled),
        UploadOutcome::Refused(Flaw::CategoryUnknown),
        UploadOutcome::Unknown { what: "timeout".into() },
        UploadOutcome::Stored,
    ];
    for (mut one, outcome) in documents.into_iter().zip(outcomes) {
        let mut stale = one.clone();
        assert_eq!(permit(ledger, &mut one).await.expect("asked"), Ok(1), "{outcome:?}");
        let again = permit(ledger, &mut stale).await;
        assert!(!matches!(again, Ok(Ok(_))), "{outcome:?}: {again:?}");
        save(ledger, &mut one, DocumentEvent::Uploaded(outcome.clone())).await;
        let again = permit(ledger, &mut stale).await;
        assert!(!matches!(again, Ok(Ok(_))), "{outcome:?}: {again:?}");
        if one.state().wants_a_person() {
            save(ledger, &mut one, DocumentEvent::Again).await;
        }
        if one.state() == DocumentState::Pending {
            assert_eq!(permit(ledger, &mut one).await.expect("asked"), Ok(2), "{outcome:?}");
        }
    }
    assert!(ledger.shelf().orphans().await.expect("read").is_empty(), "their owner lives");
    let counts = ledger.shelf().counts().await.expect("read");
    assert!(counts.iter().any(|(state, count)| state == "sending" && *count == 3), "{counts:?}");
    assert!(ledger.same_person(&hire).await.expect("read").is_none(), "a document is no other hire");
}

async fn the_same_content_is_sent_once(ledger: &dyn Ledger) {
    let hire = created(ledger, "document-same").await;
    let mut documents = taken(ledger, &hire, &[("x", 21), ("y", 21), ("z", 22)]).await;
    assert_eq!(permit(ledger, &mut documents[0]).await.expect("asked"), Ok(1));
    assert_eq!(permit(ledger, &mut documents[1]).await.expect("asked"), Err(Withheld::SameFile));
    assert_eq!(permit(ledger, &mut documents[2]).await.expect("asked"), Ok(1));
    save(ledger, &mut documents[1], DocumentEvent::Duplicate).await;
    let other = created(ledger, "document-same-of-another").await;
    let mut documents = taken(ledger, &other, &[("x", 21)]).await;
    assert_eq!(permit(ledger, &mut documents[0]).await.expect("asked"), Ok(1), "another hire's is another");
}
