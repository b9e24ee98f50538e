//! Other screens, other eyes, another language.

use crate::browser::{Browser, DESK, Look};
use crate::support::SENDER;
use crate::{deliver, doubtful, house, open};

#[tokio::test]
async fn on_a_phone_in_the_dark_and_in_german_it_is_the_same_page() {
    let house = house().await;
    let phone = Look { size: (360, 740), dark: true, language: "de" };
    let Some(browser) = Browser::open("on_a_phone_in_the_dark", &house, phone).await else { return };
    let long = "Karl-Friedrich Maximilian Donaudampfschifffahrtsgesellschaftskapitänsanwärter";
    let id = deliver(&house, &doubtful("a-1", long)).await;
    browser.picture("phone-sign-in").await;
    browser.sign_in(SENDER).await;
    browser.reads("Diese Einstellung soll vor dem Senden jemand ansehen").await;
    let ground = browser.script("return getComputedStyle(document.body).backgroundColor").await;
    assert_eq!(ground, "rgb(20, 23, 26)", "dark");
    browser.picture("phone-list").await;
    open(&browser, &id).await;
    browser.find(".chip").await;
    browser.picture("phone-hire").await;
    browser.press("Prüfen und senden").await;
    browser.reads("Genau dies wird gesendet, ein einziges Mal").await;
    browser.picture("phone-send").await;
    browser.click("#send-now").await;
    browser.reads("In Personio seit").await;
    browser.reads("Jemand hat die Einstellung freigegeben").await;
    browser.picture("phone-sent").await;
    browser.press("Neu").await;
    browser.reads("Neue Einstellung").await;
    browser.picture("phone-new").await;
    browser.press("Status").await;
    browser.reads("Personio läuft").await;
    browser.picture("phone-status").await;
    browser.close().await;
}

#[tokio::test]
async fn the_language_can_be_chosen_and_stays() {
    let house = house().await;
    let Some(browser) =
        Browser::open("the_language_can_be_chosen", &house, Look { dark: true, ..DESK }).await
    else {
        return;
    };
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    browser.sign_in(SENDER).await;
    browser.reads("Needs a person").await;
    browser.press("DE").await;
    browser.reads("Braucht jemanden").await;
    browser.go("").await;
    browser.reads("Diese Einstellung soll vor dem Senden jemand ansehen").await;
    open(&browser, &id).await;
    browser.find(".chip").await;
    browser.picture("dark-hire").await;
    browser.press("EN").await;
    browser.reads("A person is to look at this hire").await;
    browser.close().await;
}
