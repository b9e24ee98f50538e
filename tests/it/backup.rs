//! Backups, and what becomes of hires when an old one is restored: done as docs/backup.md says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::ashby::{candidate_hire, without_offer};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::process::{Served, ended, hirebridge, text};
use crate::support::town::Town;
use crate::support::{ADMIN, SENDER, Setup, state};

/// The commands of docs/backup.md under this mark, without the lines that only say where things are.
fn documented(mark: &str, given: &[(&str, String)]) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/backup.md")).expect("the page");
    let (_, rest) = page.split_once(&format!("<!-- tested: {mark} -->\n```sh\n")).expect("the commands");
    let (commands, _) = rest.split_once("\n```").expect("their end");
    let is_given = |line: &&str| !given.iter().any(|(name, _)| line.starts_with(&format!("{name}=")));
    commands.lines().filter(is_given).collect::<Vec<_>>().join("\n")
}

fn sh(folder: &Path, commands: &str, given: &[(&str, String)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_hirebridge")).parent().expect("a folder").display();
    let postgres = Postgres::programs().map(|bin| format!("{}:", bin.display())).unwrap_or_default();
    let mut sh = Command::new("sh");
    sh.args(["-eu", "-c", commands]).current_dir(folder).env_clear();
    sh.env("PATH", format!("{postgres}{program}:/usr/bin:/bin")).envs(given.iter().map(|(n, v)| (n, v)));
    ended(&mut sh)
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A town, and what the documented commands are told.
struct Place {
    town: Town,
    engine: &'static str,
    given: Vec<(&'static str, String)>,
}

impl Place {
    async fn new(server: Option<&Postgres>, marker: bool) -> Self {
        let transfer = if marker { "marker = \"dynamic_101\"".into() } else { String::new() };
        let ledger = server.map(|server| server.database("town"));
        let setup = Setup { transfer, settle: Some("1h".into()), ledger: ledger.clone(), ..Setup::default() };
        let town = Town::with(setup).await;
        let path = |name: &str| town.folder.path().join(name).display().to_string();
        fs::write(path("admin.token"), ADMIN).expect("writable");
        let mut given = vec![
            ("LEDGER", path("ledger.db")),
            ("LEDGER_BACKUP", path("kept.db")),
            ("TOKEN_FILE", path("admin.token")),
        ];
        given.extend(ledger.map(|url| ("DATABASE", url.replace("@local/", "@/"))));
        Self { town, engine: if server.is_some() { "postgres" } else { "sqlite" }, given }
    }

    fn backup_file(&self) -> PathBuf {
        self.town.folder.path().join("kept.db")
    }

    /// Backs up by the book, while something else goes on.
    async fn back_up(&self, served: &Served) {
        let commands = documented(&format!("{} backup", self.engine), &self.given);
        let mut given = self.given.clone();
        given.push(("HIREBRIDGE_URL", served.url.clone()));
        let folder = self.town.folder.path().to_owned();
        let done =
            tokio::task::spawn_blocking(move || sh(&folder, &commands, &given)).await.expect("it ends");
        let said = succeeds(&done);
        if self.engine == "sqlite" {
            assert!(said.contains("The ledger key is NOT in it"), "{said}");
        }
    }

    /// Restores by the book; what runs then.
    async fn restore(&self, served: Served) -> Served {
        let commands = documented(&format!("{} restore", self.engine), &self.given);
        let (before, rest) = commands.split_once("systemctl stop hirebridge\n").expect("it is stopped");
        let (between, after) = rest.split_once("systemctl start hirebridge").expect("and started");
        assert_eq!((before.trim(), after.trim()), ("", ""), "stopped first, started last");
        assert_eq!(Town::terminate(served).await, Some(0));
        succeeds(&sh(self.town.folder.path(), between, &self.given));
        self.town.serve().await
    }

    async fn link(&self, served: &Served, hire: &Value) -> String {
        let (id, employee) = (hire["id"].as_str().expect("an id"), &hire["employee"]["id"]);
        let request = reqwest::Client::builder().build().expect("a client");
        let request = request.post(format!("{}/v1/hires/{id}/link", served.url)).bearer_auth(SENDER);
        let answer = request.json(&json!({"employee_id": employee})).send().await.expect("an answer");
        state(&answer.json().await.expect("a hire"))
    }
}

fn body(n: usize) -> Value {
    candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"))
}

/// Back up while hires arrive; more arrive; restore; everything is delivered again.
async fn an_old_backup_is_restored(server: Option<&Postgres>, marker: bool) {
    let place = Place::new(server, marker).await;
    let town = &place.town;
    let served = town.serve().await;
    let known = town.deliver(&served, &body(0)).await.expect("an answer");
    assert_eq!(state(&known), "created");
    // It waits for a fuller delivery when the backup is made, and is created after it.
    let early = without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia1@example.org");
    assert_eq!(state(&town.deliver(&served, &early).await.expect("an answer")), "received");
    let arriving =
        join_all((2..12).map(|n| town.deliver(&served, &body(n)).into_future()).collect::<Vec<_>>());
    let ((), arrived) = tokio::join!(place.back_up(&served), arriving);
    assert!(arrived.iter().flatten().count() == 10, "the service went on");
    for body in [body(1), body(12), body(13)] {
        assert_eq!(state(&town.deliver(&served, &body).await.expect("an answer")), "created");
    }
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (14, 14));

    let served = place.restore(served).await;
    assert_eq!(town.hires(&served).await.iter().filter(|hire| hire["ats_id"] == "a-13").count(), 0);
    let again = join_all((0..14).map(|n| town.deliver(&served, &body(n)).into_future()).collect::<Vec<_>>());
    let again: Vec<_> = again.await.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(
        (again[0]["hire"].clone(), again[0]["state"].clone()),
        (known["hire"].clone(), json!("created"))
    );
    let expected = if marker { "created(adopted)" } else { "held(exists)" };
    for n in [1, 12, 13] {
        assert_eq!(state(&again[n]), expected, "{n}");
    }
    let hires = crate::support::process::eventually("all have ended", || async {
        let hires = town.hires(&served).await;
        let has_ended = |hire: &Value| hire["state"] == "created" || state(hire) == "held(exists)";
        hires.iter().all(has_ended).then_some(hires)
    })
    .await;
    assert_eq!(hires.len(), 14, "each is one hire");
    let mut employees: Vec<_> = hires.iter().filter_map(|hire| hire["employee"]["id"].as_u64()).collect();
    employees.sort_unstable();
    employees.dedup();
    assert_eq!(employees.len(), 14, "each has an employee of its own");
    for hire in hires.iter().filter(|hire| hire["state"] == "held") {
        assert!(
            !marker && hire["employee"]["url"].as_str().is_some_and(|url| url.starts_with("https://acme"))
        );
        assert_eq!(place.link(&served, hire).await, "created(linked)");
    }
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (14, 14), "nobody was sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_old_backup_marked_employees_are_adopted() {
    an_old_backup_is_restored(None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_old_backup_unmarked_employees_are_linked_by_a_person() {
    an_old_backup_is_restored(None, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_old_dump_of_postgres_nobody_is_sent_again_either() {
    let test = "after_an_old_dump_of_postgres_nobody_is_sent_again_either";
    let Some(server) = Postgres::start(test).await else { return };
    an_old_backup_is_restored(Some(&server), true).await;
    // The dump is a restored ledger now, and bears no mark any more that it is a dump.
    let meta = server.ask("town", "SELECT string_agg(name, ' ' ORDER BY name) FROM hirebridge.meta");
    assert!(meta.contains("restored") && !meta.contains("snapshot"), "{meta}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_private_whole_and_replaces_nothing_unasked() {
    let place = Place::new(None, false).await;
    let served = place.town.serve().await;
    place.town.deliver(&served, &body(0)).await.expect("an answer");
    let folder = place.town.folder.path();
    let file = place.backup_file();
    let backup = |more: &[&str]| {
        let mut command = hirebridge(folder);
        command.args(["backup", "kept.db", "--token-file", "admin.token"]).args(more);
        command.env("HIREBRIDGE_URL", &served.url);
        let output = ended(&mut command);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, said) = backup(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).expect("readable");
    for secret in [b"Beispiel".as_slice(), b"mia0@example.org", &[7; 32], b"BwcHBwcH"] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "nothing personal, and no key");
    }
    fs::write(&file, "something else").expect("writable");
    let (code, said) = backup(&[]);
    assert!(code == Some(1) && said.contains("--force replaces it"), "{said}");
    assert_eq!(fs::read(&file).expect("readable"), b"something else");
    let (code, said) = backup(&["--force"]);
    assert!(code == Some(0) && fs::read(&file).expect("readable").len() == bytes.len(), "{said}");

    fs::write(folder.join("admin.token"), SENDER).expect("writable");
    let (code, said) = backup(&["--force"]);
    assert!(code == Some(1) && said.contains("needs `admin`") && !said.contains(SENDER), "{said}");
    let (code, said) = backup(&["--force", "--url", "http://hires.example.com"]);
    assert!(code == Some(1) && said.contains("over https"), "{said}");
    let names = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = names
        .filter(|name| name.to_string_lossy().contains("backup-") || name.to_string_lossy().contains(".part"))
        .collect();
    assert!(left.is_empty(), "nothing half-made is left: {left:?}");
}

/// Answers whatever is asked with this, and hangs up.
async fn answering(answer: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            drop(client.read(&mut asked).await);
            drop(client.write_all(&answer).await);
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_or_is_no_ledger_leaves_the_old_backup_as_it_was() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    fs::write(folder.path().join("t"), "Authorization: Bearer hb_x\n").expect("writable");
    fs::write(folder.path().join("kept.db"), "old").expect("writable");
    for (answer, words) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "broke off"),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nno length at all", "broke off"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhtml", "not a database"),
        (
            "HTTP/1.1 409 Conflict\r\ncontent-length: 33\r\n\r\n{\"title\": \"T\", \"detail\": \"pg_dump\"}",
            "pg_dump",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "status 502"),
    ] {
        let url = answering(answer.replace("length: 33", "length: 35").into_bytes()).await;
        let mut command = hirebridge(folder.path());
        command.args(["backup", "kept.db", "--force", "--token-file", "t", "--url", &url]);
        let output = ended(&mut command);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(words), "{words}: {said}");
        assert_eq!(fs::read(folder.path().join("kept.db")).expect("readable"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 2, "nothing else is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_on_postgres_says_how_it_is_backed_up() {
    let Some(server) = Postgres::start("a_ledger_on_postgres_says_how_it_is_backed_up").await else { return };
    let place = Place::new(Some(&server), false).await;
    let served = place.town.serve().await;
    let mut command = hirebridge(place.town.folder.path());
    command.args(["backup", "kept.db", "--token-file", "admin.token", "--url", &served.url]);
    let output = ended(&mut command);
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("`pg_dump`"), "{said}");
    assert!(!place.backup_file().exists() && !said.contains(PASSWORD));
}
