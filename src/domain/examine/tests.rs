use proptest::prelude::*;

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
const ZIP: &[u8] = b"PK\x03\x04\x14\x00\x00\x00\x00\x00";
const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0];
const EXE: &[u8] = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";
const JPG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F', 0];

fn named(name: &str, declared: Option<&str>, head: &[u8]) -> Result<String, Flaw> {
    examine(name, declared, head).map(|file| file.name)
}

#[test]
fn a_file_that_is_what_it_says_is_taken() {
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    for (name, declared, head, media_type) in [
        ("CV.pdf", Some("application/pdf"), PDF, "application/pdf"),
        ("CV.PDF", Some("application/pdf;charset=binary"), PDF, "application/pdf"),
        ("CV.pdf", Some("binary/octet-stream"), PDF, "application/pdf"),
        ("CV.pdf", None, b"\xef\xbb\xbf\n%PDF-1.4", "application/pdf"),
        ("CV.docx", Some(docx), ZIP, docx),
        ("CV.docx", Some("application/zip"), ZIP, docx),
        ("CV.doc", Some("application/msword"), OLE, "application/msword"),
        ("CV.doc", Some("application/msword"), b"{\\rtf1\\ansi", "application/msword"),
        ("photo.jpeg", Some("image/jpg"), JPG, "image/jpeg"),
        ("photo.png", Some("image/png"), PNG, "image/png"),
        ("letter.txt", Some("text/plain; charset=utf-8"), "Grüße\n".as_bytes(), "text/plain"),
        ("cars.csv", Some("text/csv"), b"BMW;1\r\nMZ;2", "text/csv"),
        ("page.html", Some("text/html"), b"<!doctype html><p>", "text/html"),
        ("all.zip", None, ZIP, "application/zip"),
    ] {
        let file =
            examine(name, declared, head).unwrap_or_else(|flaw| panic!("{name} {declared:?}: {flaw:?}"));
        assert_eq!((file.name.as_str(), file.media_type), (name, media_type));
    }
}

#[test]
fn name_declared_type_and_first_bytes_have_to_agree() {
    for (name, declared, head) in [
        ("CV.pdf", Some("application/pdf"), EXE),
        ("CV.pdf", Some("application/pdf"), ZIP),
        ("CV.pdf", Some("application/pdf"), &b"<html><body>Please log in"[..]),
        ("CV.pdf", Some("text/html"), PDF),
        ("CV.pdf", Some("application/x-msdownload"), PDF),
        ("CV.docx", None, PDF),
        ("CV.docx", None, OLE),
        ("CV.png", Some("image/png"), JPG),
        ("CV.txt", Some("text/plain"), b"with a \0 in it"),
        ("CV.txt", Some("text/plain"), b"#!/bin/sh\nrm -rf /\n"),
        ("CV.txt", Some("text/plain"), PDF),
        ("CV.txt", None, b"<html>"),
        ("CV.gz", None, ZIP),
        ("CV.pdf", None, b"\x00\x01\x02\x03"),
    ] {
        assert_eq!(named(name, declared, head), Err(Flaw::TypeDoubtful), "{name} {declared:?}");
    }
}

#[test]
fn what_personio_does_not_take_is_not_sent() {
    for name in ["CV.exe", "CV.pdf.exe", "CV.docm", "CV.svg", "CV.js", "CV.p\u{202e}fdp", "CV.heic"] {
        assert_eq!(named(name, None, PDF), Err(Flaw::TypeNotTaken), "{name}");
    }
    assert_eq!(named("CV.pdf", None, b""), Err(Flaw::Empty));
}

#[test]
fn a_name_without_an_ending_gets_the_one_that_the_bytes_show() {
    assert_eq!(named("Lebenslauf", None, PDF).as_deref(), Ok("Lebenslauf.pdf"));
    assert_eq!(named("CV Dr. Müller", Some("application/pdf"), PDF).as_deref(), Ok("CV Dr. Müller.pdf"));
    assert_eq!(named("", None, PNG).as_deref(), Ok("document.png"));
    assert_eq!(named("CV", Some("application/msword"), OLE).as_deref(), Ok("CV.doc"));
    assert_eq!(named("CV", Some("text/plain"), b"hello").as_deref(), Ok("CV.txt"));
    assert_eq!(named("CV", Some("application/pdf"), PNG), Err(Flaw::TypeDoubtful));
    assert_eq!(named("CV", None, OLE), Err(Flaw::TypeDoubtful));
    assert_eq!(named("CV", None, EXE), Err(Flaw::TypeDoubtful));
}

#[test]
fn a_name_keeps_its_letters_and_loses_what_steers() {
    for (name, cleaned) in [
        ("Lebenslauf Jürgen Größe-Łuczak 山田.pdf", "Lebenslauf Jürgen Größe-Łuczak 山田.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        (r"C:\Users\mia\CV.pdf", "CV.pdf"),
        ("CV.pdf/..", "CV.pdf"),
        ("CV\r\nX-Evil: 1.pdf", "CV X-Evil_ 1.pdf"),
        ("CV\0.pdf", "CV.pdf"),
        ("\u{202e}fdp.CV.exe\u{202c}", "fdp.CV.exe"),
        ("C\u{200b}V\u{feff}\u{2066}.p\u{ad}df", "CV.pdf"),
        (r#"the "best" <CV>.pdf"#, "the 'best' _CV_.pdf"),
        ("  .hidden.pdf ", "hidden.pdf"),
        ("CV .pdf", "CV.pdf"),
        ("CV.pdf...", "CV.pdf"),
        (".pdf", "document.pdf"),
        ("\u{85}\u{2028}", "document"),
        ("..", "document"),
        ("", "document"),
    ] {
        assert_eq!(clean(name), cleaned, "{name:?}");
    }
}

#[test]
fn a_long_name_keeps_its_ending() {
    let long = clean(&format!("{}.pdf", "ü".repeat(300)));
    assert_eq!((long.chars().count(), long.ends_with("ü.pdf")), (255, true));
    assert_eq!(clean(&"ü".repeat(300)).chars().count(), 255);
    assert_eq!(named(&"x".repeat(300), None, PDF).map(|name| name.chars().count()), Ok(255));
}

proptest! {
    #[test]
    fn no_name_comes_out_that_could_break_a_header_or_leave_a_folder(name in "\\PC{0,300}|(?s).{0,400}") {
        let cleaned = clean(&name);
        prop_assert!((1..=255).contains(&cleaned.chars().count()), "{cleaned:?}");
        prop_assert!(!cleaned.chars().any(|c| c.is_control() || "/\\\"\u{202e}".contains(c)), "{cleaned:?}");
        prop_assert!(!cleaned.starts_with('.') && !cleaned.ends_with(['.', ' ']), "{cleaned:?}");
        prop_assert_eq!(clean(&cleaned), cleaned);
    }

    #[test]
    fn no_bytes_make_it_panic(head in prop::collection::vec(any::<u8>(), 0..64), name in ".{0,20}") {
        let _ = examine(&name, None, &head);
    }
}
