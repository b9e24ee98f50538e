//! The files of Mia at Ashby: those that her candidate names, and the storage where they lie.

use bytes::Bytes;
use serde_json::{Value, json};

use super::ashby::fixture;
use super::ashby_api::{Ashby, KEY, Says};
use super::storage::{Gives, Storage};
use super::{House, Setup};

/// What goes where; the simulator's categories.
pub(crate) const DOCUMENTS: &str = "[sources.ashby.documents]\n\
    resume = { category = \"CVs\", title = \"CV {{ candidate.last_name }}\" }\n\
    other = \"CVs\"\nsigned_offer = \"Contracts\"\n";

/// Mia's files, as Ashby tells of them and gives them.
pub(crate) struct Files {
    pub(crate) ashby: Ashby,
    pub(crate) storage: Storage,
    url: String,
    candidate: std::sync::Mutex<Value>,
}

/// A PDF of so many bytes that no other one is like.
pub(crate) fn pdf(text: &str, size: usize) -> Bytes {
    let mut content = format!("%PDF-1.7\n{text}\n").into_bytes();
    content.resize(size.max(content.len()), b' ');
    content.into()
}

/// As Ashby names a file: <https://developers.ashbyhq.com/reference/candidateinfo>.
pub(crate) fn handle(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "handle": format!("handle-{id}")})
}

impl Files {
    /// None so far.
    pub(crate) async fn none() -> Self {
        let storage = Storage::start().await;
        let ashby = Ashby::of("a-1", "c-a-1").with_files(&storage);
        let mut candidate = fixture("api-candidate.info");
        let results = &mut candidate["results"];
        (results["id"], results["applicationIds"]) = ("c-a-1".into(), json!(["a-1"]));
        (results["resumeFileHandle"], results["fileHandles"]) = (Value::Null, json!([]));
        let url = ashby.listens().await;
        let files = Self { ashby, storage, url, candidate: candidate.into() };
        files.tell(|_| {});
        files
    }

    fn tell(&self, change: impl FnOnce(&mut Value)) {
        let mut candidate = self.candidate.lock().expect("nobody panicked");
        change(&mut candidate["results"]);
        self.ashby.now_says("candidate.info", Says::Json(candidate.clone()));
    }

    /// Lines for `[sources.ashby]`.
    pub(crate) fn key(&self) -> String {
        format!("api_key = \"{KEY}\"\napi_base_url = \"{}\"\n", self.url)
    }

    /// A house that knows what goes where.
    pub(crate) fn setup(&self) -> Setup {
        Setup { ashby: self.key(), sections: DOCUMENTS.into(), ..Setup::default() }
    }

    pub(crate) async fn house(&self) -> House {
        House::with(self.setup()).await
    }

    /// The same, where each hire waits for a person.
    pub(crate) async fn house_with_review(&self) -> House {
        House::with(Setup { ashby: self.key() + "review = true\n", ..self.setup() }).await
    }

    /// The candidate has a CV: it is one of the files, too.
    pub(crate) fn resume(&self, id: &str, name: &str, content: Bytes) {
        self.tell(|candidate| candidate["resumeFileHandle"] = handle(id, name));
        self.other(id, name, content);
    }

    /// The candidate has another file.
    pub(crate) fn other(&self, id: &str, name: &str, content: Bytes) {
        self.tell(|candidate| {
            candidate["fileHandles"].as_array_mut().expect("files").push(handle(id, name));
        });
        self.holds(id, content);
    }

    /// The file of this id is there.
    pub(crate) fn holds(&self, id: &str, content: Bytes) {
        self.storage.keeps(&format!("handle-{id}"), Gives::File("application/pdf", content));
    }

    /// No file is there any more.
    pub(crate) fn burn(&self) {
        self.storage.gives_all(&Gives::Status(404));
    }

    /// The storage is out of order.
    pub(crate) fn fail(&self) {
        self.storage.gives_all(&Gives::Status(503));
    }

    /// How often files were fetched.
    pub(crate) fn fetched(&self) -> usize {
        self.storage.visits().len()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ashby.was_asked_rightly();
            let visits = self.storage.visits();
            assert!(
                visits.iter().all(|visit| !visit.contains("with a key")),
                "Ashby's key is for Ashby alone"
            );
        }
    }
}
