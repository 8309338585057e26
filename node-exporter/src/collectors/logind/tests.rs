use exporter_core::testing;
use zbus::message::Header;
use zbus::{Message, Variant};

use super::*;
use crate::dbus::fake::{FakeBus, block_on};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/logind.prom");

/// logind with one seat and four sessions; the last one ends before its properties are read.
fn logind(call: &Header<'_>, message: &Message) -> Option<Message> {
    let reply = Message::method_return(call);
    let object = |path: &'static str| ObjectPath::try_from(path).unwrap();
    match call.member()?.as_str() {
        "ListSeats" => return reply.build(&[("seat0", object("/seat0"))].as_slice()).ok(),
        "ListSessions" => {
            let sessions = [
                ("1", 1000_u32, "ada", "seat0", object("/s1")),
                ("2", 0, "root", "", object("/s2")),
                ("3", 1001, "bob", "", object("/s3")),
                ("4", 1001, "bob", "", object("/s4")),
            ];
            return reply.build(&sessions.as_slice()).ok();
        }
        _ => {}
    }
    let body = message.body();
    let (_, property): (&str, &str) = body.deserialize().unwrap();
    let value = match (call.path()?.as_str(), property) {
        ("/s1", "Type") => Variant::from("wayland"),
        ("/s2" | "/s3", "Type") => Variant::from("tty"),
        ("/s3", "Class") => Variant::from("manager-early"),
        ("/s1" | "/s2", "Class") => Variant::from("user"),
        ("/s1", "Remote") => Variant::from(false),
        ("/s2" | "/s3", "Remote") => Variant::from(true),
        _ => return None,
    };
    reply.build(&value).ok()
}

/// Run with `UPDATE=1` to rewrite the golden file.
#[test]
fn sessions_are_counted() {
    block_on(async {
        let bus = FakeBus::new(logind);
        let mut out = Families::default();
        Logind(bus.client()).collect(&mut out).await.unwrap();
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        testing::declared_is_exposed(&DEFINITION, &page);
        testing::golden(GOLDEN, &page);
    });
}

#[test]
fn a_bus_without_logind_is_an_error() {
    block_on(async {
        let bus = FakeBus::new(|_, _| None);
        let result = Logind(bus.client()).collect(&mut Families::default()).await;
        assert!(result.unwrap_err().to_string().contains("ListSe"));
    });
}
