//! Responses from files, in the format of `node_exporter`'s tests: `interfaces.json`, and in a
//! directory for each interface `bss.json` and `stationinfo.json`.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exporter_core::collector::Error;
use serde::{Deserialize, de};

use super::Interface;
use crate::host;
use crate::netlink::nl80211::{Network, Station, Status};

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    frequency: u32,
}

#[derive(Deserialize)]
struct Bss {
    ssid: String,
    #[serde(deserialize_with = "address")]
    bssid: [u8; 6],
    status: u8,
}

/// Times are in nanoseconds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct StationInfo {
    #[serde(deserialize_with = "address")]
    hardwareaddr: [u8; 6],
    connected: u64,
    inactive: u64,
    receivebitrate: u64,
    transmitbitrate: u64,
    receivedbytes: u64,
    transmittedbytes: u64,
    receivedpackets: u32,
    transmittedpackets: u32,
    signal: i8,
    transmitretries: u32,
    transmitfailed: u32,
    beaconloss: u32,
}

pub(super) fn interfaces(directory: &Path) -> Result<Vec<Interface>, Error> {
    let path = directory.join("interfaces.json");
    let mut interfaces = Vec::new();
    for Named { name, frequency } in read::<Vec<Named>>(&path)? {
        if name.is_empty() {
            continue;
        }
        let interface_directory = directory.join(&name);
        let network = if_exists(read(&interface_directory.join("bss.json")))?.map(network);
        let stations =
            if_exists(read::<Vec<StationInfo>>(&interface_directory.join("stationinfo.json")))?;
        let stations = stations.unwrap_or_default().iter().map(station).collect();
        interfaces.push(Interface { name, frequency, network, stations });
    }
    Ok(interfaces)
}

fn network(bss: Bss) -> Network {
    let status = match bss.status {
        0 => Status::Authenticated,
        1 => Status::Associated,
        2 => Status::IbssJoined,
        _ => Status::Other,
    };
    Network { bssid: bss.bssid, ssid: bss.ssid, status }
}

fn station(info: &StationInfo) -> Station {
    Station {
        address: info.hardwareaddr,
        connected: Duration::from_nanos(info.connected),
        inactive: Duration::from_nanos(info.inactive),
        receive_bitrate: info.receivebitrate,
        transmit_bitrate: info.transmitbitrate,
        received_bytes: info.receivedbytes,
        transmitted_bytes: info.transmittedbytes,
        received_packets: info.receivedpackets,
        transmitted_packets: info.transmittedpackets,
        signal: info.signal,
        transmit_retries: info.transmitretries,
        transmit_failed: info.transmitfailed,
        beacon_loss: info.beaconloss,
    }
}

fn read<T: de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = host::read_bytes(path)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Parse {
        path: path.to_owned(),
        expected: "JSON as of the wifi collector's test data",
        found: error.to_string(),
    })
}

fn if_exists<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A hardware address, in base64.
fn address<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<[u8; 6], D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(&text).unwrap_or_default();
    let problem = || de::Error::custom(format!("{text:?} is not six bytes in base64"));
    bytes.try_into().map_err(|_| problem())
}
