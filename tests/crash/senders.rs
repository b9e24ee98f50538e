//! The ATS: delivers each hire, and again until it is answered with success, to whichever replica.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::evidence::{Answer, Delivered};
use crate::hires::Application;
use crate::papers;
use crate::replicas::{Replica, Toll};
use crate::support::ashby::signature;
use crate::support::{SECRET, state};

/// How long an answer is waited for; longer than the service takes, and the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// How long a delivery may find nobody who takes it; longer than any run kills.
const GIVE_UP: Duration = Duration::from_mins(10);

/// What all senders share.
pub(crate) struct Ats<'s> {
    pub(crate) replicas: &'s [Replica],
    pub(crate) http: &'s reqwest::Client,
    pub(crate) toll: &'s Toll,
}

/// What a sender saw.
pub(crate) struct Sent {
    pub(crate) delivered: Delivered,
    /// How often something was sent, answered or not.
    pub(crate) deliveries: usize,
}

impl Ats<'_> {
    /// Delivers a hire, round after round, once there were so many kills.
    pub(crate) async fn deliver(&self, hire: &Application, mut rng: Rng, after: usize) -> Sent {
        self.toll.reaches(after).await;
        let delivered = Delivered { application: hire.id.clone(), person: hire.person, answers: Vec::new() };
        let mut sent = Sent { delivered, deliveries: 0 };
        for round in &hire.rounds {
            sleep(Duration::from_millis(rng.u64(..80))).await;
            let all = round.iter().map(|body| self.until_taken(hire.source, body, rng.fork()));
            for (answer, deliveries) in join_all(all).await {
                sent.delivered.answers.push(answer);
                sent.deliveries += deliveries;
            }
        }
        sent
    }

    /// The first success answer, and how often it was sent for it.
    pub(crate) async fn until_taken(&self, source: &str, body: &Value, mut rng: Rng) -> (Answer, usize) {
        let body = body.to_string();
        let secret = if source == papers::SOURCE { papers::SECRET } else { SECRET };
        let signature = signature(secret, body.as_bytes());
        let (mut deliveries, since) = (0, Instant::now());
        while since.elapsed() < GIVE_UP {
            deliveries += 1;
            let replica = rng.choice(self.replicas).expect("there are replicas");
            let request = self.http.post(format!("{}/webhooks/{source}", replica.url()));
            let request = request.header("Ashby-Signature", &signature).body(body.clone());
            if let Some(answer) = self.answer(request).await {
                return (answer, deliveries);
            }
            sleep(Duration::from_millis(rng.u64(50..400))).await;
        }
        let accidents = self.toll.accidents.lock().expect("nobody panicked");
        panic!("nobody takes a delivery: {:#?}", accidents.iter().take(3).collect::<Vec<_>>());
    }

    /// A success answer; none if it was lost, or says to come again.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let answer = request.timeout(PATIENCE).send().await.ok()?;
        let status = answer.status().as_u16();
        let again = answer.headers().contains_key("retry-after");
        let text = answer.text().await.ok()?;
        if status == 503 && again {
            return None;
        }
        let said: Option<Value> = serde_json::from_str(&text).ok().filter(|_| status == 200);
        let hire = said.as_ref().and_then(|said| said["hire"].as_str());
        let Some((said, hire)) = said.as_ref().zip(hire) else {
            self.toll.accident(Some(format!("a delivery was answered {status}: {text}")));
            return None;
        };
        Some(Answer { hire: hire.to_owned(), state: state(said), duplicate: said["duplicate"] == true })
    }
}
