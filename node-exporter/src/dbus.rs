//! The system message bus (D-Bus), for data from systemd and logind.

#[cfg(test)]
pub(crate) mod fake;

use std::io::{self, ErrorKind};
use std::sync::Arc;

use exporter_core::collector::Error;
use futures_util::lock::Mutex;
use futures_util::stream::{FuturesOrdered, StreamExt};
use zbus::connection::Builder;
use zbus::{Connection, DynamicType, Message, Variant};

/// A connection to a message bus. It is opened by the first call, shared by all clones, and
/// reopened after a failure.
#[derive(Clone, Debug)]
pub(crate) struct Bus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    address: Address,
    connection: Mutex<Option<Connection>>,
}

#[derive(Debug)]
enum Address {
    /// `DBUS_SYSTEM_BUS_ADDRESS`, or the well-known socket.
    System,
    /// The private socket of a service, without a bus.
    Peer(&'static str),
    #[cfg(test)]
    Bus(String),
}

/// An object of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    /// The bus name, such as `org.freedesktop.systemd1`.
    pub(crate) service: &'a str,
    pub(crate) path: &'a str,
}

/// A property of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) interface: &'a str,
    pub(crate) name: &'static str,
}

/// The value of a property, of one of the types that collectors need.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(u64),
    Bool(bool),
}

/// By default, the bus allows 128 concurrent calls per connection.
const MAX_PIPELINED_CALLS: usize = 64;

impl Bus {
    /// The system bus.
    pub(crate) fn system() -> Self {
        Self::new(Address::System)
    }

    /// A service on its private Unix socket.
    pub(crate) fn peer(path: &'static str) -> Self {
        Self::new(Address::Peer(path))
    }

    /// A bus at an address such as `unix:path=/tmp/bus`.
    #[cfg(test)]
    pub(crate) fn with_address(address: String) -> Self {
        Self::new(Address::Bus(address))
    }

    fn new(address: Address) -> Self {
        Self(Arc::new(Shared { address, connection: Mutex::new(None) }))
    }

    /// Calls a method without arguments.
    pub(crate) async fn call(
        &self,
        object: Object<'_>,
        interface: &str,
        method: &'static str,
    ) -> Result<Message, Error> {
        self.request(object, interface, method, &())
            .await
            .map_err(|error| call_error(method, error))
    }

    /// Reads a property.
    pub(crate) async fn property(&self, property: Property<'_>) -> Result<Value, Error> {
        self.get(property).await.map_err(|error| call_error(property.name, error))
    }

    /// Reads properties concurrently, and returns their values in order: `None` if the property or
    /// its object does not exist. Fails only if the connection does.
    pub(crate) async fn properties(
        &self,
        properties: &[Property<'_>],
    ) -> Result<Vec<Option<Value>>, Error> {
        let mut values = Vec::with_capacity(properties.len());
        let mut in_flight = FuturesOrdered::new();
        let (first, rest) = properties.split_at(properties.len().min(MAX_PIPELINED_CALLS));
        for property in first {
            in_flight.push_back(self.get(*property));
        }
        let mut rest = rest.iter();
        while let Some(reply) = in_flight.next().await {
            values.push(match reply {
                Ok(value) => Some(value),
                Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => None,
                Err(error) => return Err(call_error("Get", error)),
            });
            if let Some(property) = rest.next() {
                in_flight.push_back(self.get(*property));
            }
        }
        Ok(values)
    }

    async fn get(&self, property: Property<'_>) -> zbus::Result<Value> {
        const INTERFACE: &str = "org.freedesktop.DBus.Properties";
        let arguments = (property.interface, property.name);
        let reply = self.request(property.object, INTERFACE, "Get", &arguments).await?;
        let body = reply.body();
        match body.deserialize()? {
            Variant::Str(text) => Ok(Value::Text(text.to_string())),
            Variant::U64(number) => Ok(Value::Number(number)),
            Variant::U32(number) => Ok(Value::Number(number.into())),
            Variant::Bool(bool) => Ok(Value::Bool(bool)),
            _ => Err(zbus::Error::IncorrectType),
        }
    }

    async fn request<B>(
        &self,
        object: Object<'_>,
        interface: &str,
        method: &str,
        arguments: &B,
    ) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType + Sync,
    {
        let Object { service, path } = object;
        let connection = self.connection().await?;
        connection.call_method(Some(service), path, Some(interface), method, arguments).await
    }

    /// The connection. Opens a new one if there is none, or if the peer has closed it.
    async fn connection(&self) -> zbus::Result<Connection> {
        let mut connection = self.0.connection.lock().await;
        if let Some(open) = connection.as_ref().filter(|open| !open.is_closed()) {
            return Ok(open.clone());
        }
        let builder = match &self.0.address {
            Address::System => Builder::system(),
            Address::Peer(path) => Builder::address(format!("unix:path={path}").as_str()).p2p(),
            #[cfg(test)]
            Address::Bus(address) => Builder::address(address.as_str()),
        };
        Ok(connection.insert(builder.build().await?).clone())
    }

    /// Closes the connection, so that the next call opens a new one.
    pub(crate) async fn close(&self) {
        *self.0.connection.lock().await = None;
    }
}

fn call_error(call: &'static str, error: zbus::Error) -> Error {
    let source = match error {
        // No socket: a machine without a message bus.
        zbus::Error::Connection(error, _) if error.kind() == ErrorKind::NotFound => {
            return Error::Absent("message bus");
        }
        zbus::Error::InputOutput(error) => io::Error::new(error.kind(), error.to_string()),
        error @ zbus::Error::Handshake(_) => io::Error::new(ErrorKind::ConnectionRefused, error),
        error => io::Error::other(error),
    };
    Error::System { call, source }
}

/// The error for a reply of an unexpected type.
pub(crate) fn reply_error(call: &'static str, error: zbus::Error) -> Error {
    Error::System { call, source: io::Error::new(ErrorKind::InvalidData, error) }
}
