//! Login sessions: `org.freedesktop.login1` on the system bus, see
//! org.freedesktop.login1(5).

use std::collections::HashMap;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use futures_util::future::try_join;
use zbus::ObjectPath;

use super::Definition;
use crate::dbus::{self, Bus, Object, Property, Value};

pub(super) static DEFINITION: Definition =
    Definition::new("logind", "Login sessions", |host, _| {
        Ok(Source::asynchronous(Logind(host.bus.clone())))
    })
    .cost("one call for all sessions, and one per session")
    .rights("the system bus")
    .off_by_default()
    .reads(&["org.freedesktop.login1 on the system bus"])
    .metrics(&[&SESSIONS]);

static SESSIONS: Desc<4> = Desc::gauge(
    "node_logind_sessions",
    "Number of login sessions by seat, origin, type and class.",
    ["seat", "remote", "type", "class"],
);

const SERVICE: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const MANAGER_OBJECT: Object<'_> = Object { service: SERVICE, path: "/org/freedesktop/login1" };
const SESSION: &str = "org.freedesktop.login1.Session";

/// Each combination has a series, so that the value is 0 after its last session has ended. Other
/// values count as `other`.
const TYPES: [&str; 7] = ["other", "unspecified", "tty", "x11", "wayland", "mir", "web"];
const CLASSES: [&str; 5] = ["other", "user", "greeter", "lock-screen", "background"];
const REMOTE: [&str; 2] = ["true", "false"];

struct Logind(Bus);

#[async_trait]
impl AsyncCollector for Logind {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result = self.read(out).await;
        if result.is_err() {
            self.0.close().await;
        }
        result
    }
}

impl Logind {
    async fn read(&self, out: &mut Families) -> Result<(), Error> {
        let (seats, sessions) = try_join(
            self.0.call(MANAGER_OBJECT, MANAGER, "ListSeats"),
            self.0.call(MANAGER_OBJECT, MANAGER, "ListSessions"),
        )
        .await?;
        let (seats, sessions) = (seats.body(), sessions.body());
        let seats: Vec<(&str, ObjectPath<'_>)> =
            seats.deserialize().map_err(|error| dbus::reply_error("ListSeats", error))?;
        // Identifier, user number, user name, seat, object.
        let sessions: Vec<(&str, u32, &str, &str, ObjectPath<'_>)> =
            sessions.deserialize().map_err(|error| dbus::reply_error("ListSessions", error))?;

        let mut properties = Vec::with_capacity(3 * sessions.len());
        for (.., path) in &sessions {
            let object = Object { service: SERVICE, path: path.as_str() };
            for name in ["Remote", "Type", "Class"] {
                properties.push(Property { object, interface: SESSION, name });
            }
        }
        let values = self.0.properties(&properties).await?;
        let mut counts = HashMap::new();
        for ((.., seat, _), values) in sessions.iter().zip(values.as_chunks::<3>().0) {
            // A session that has ended meanwhile has no properties.
            if let [Some(Value::Bool(remote)), Some(Value::Text(kind)), Some(Value::Text(class))] =
                values
            {
                let remote = if *remote { "true" } else { "false" };
                let key =
                    (*seat, remote, known_or_other(kind, &TYPES), known_or_other(class, &CLASSES));
                *counts.entry(key).or_insert(0_u32) += 1;
            }
        }

        let mut family = out.family(&SESSIONS);
        // Sessions over the network have an empty seat.
        for seat in seats.iter().map(|(seat, _)| *seat).chain([""]) {
            for remote in REMOTE {
                for kind in TYPES {
                    for class in CLASSES {
                        let count = counts.get(&(seat, remote, kind, class)).copied();
                        let labels = [seat, remote, kind, class];
                        family.sample(labels, count.unwrap_or_default().into());
                    }
                }
            }
        }
        Ok(())
    }
}

fn known_or_other<'a>(value: &str, values: &[&'a str]) -> &'a str {
    values.iter().copied().find(|known| *known == value).unwrap_or("other")
}

#[cfg(test)]
mod tests;
