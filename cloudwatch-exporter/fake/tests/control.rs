//! The control interface over plain HTTP, for scripts.

#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::io::{Read, Write};
use std::net::TcpStream;

use fake_cloudwatch::{Fake, Model};

fn send(fake: &Fake, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(fake.address()).unwrap();
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: fake\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn the_control_interface_changes_the_fake() {
    let fake = Fake::start(Model::new()).unwrap();
    let model = r#"{"metrics": [{"namespace": "A", "name": "B", "dimensions": [{"name": "Id", "value": "1"}],
        "values": {"samples": [1, 2]}, "unit": "Bytes", "every": 300}],
        "resources": [{"arn": "arn:aws:s3:::bucket", "tags": [["Env", "test"]]}], "limits": {"list_page": 1}}"#;
    for (request, body, status) in [
        ("PUT /control/model", model, "204"),
        ("PUT /control/model", r#"{"metric": []}"#, "400"),
        ("POST /control/faults", r#"{"kind": {"delay_ms": 1}, "when": {"every": 2}}"#, "204"),
        ("POST /control/faults", r#"{"kind": "explode"}"#, "400"),
        ("DELETE /control/faults", "", "204"),
        ("GET /control/nothing", "", "404"),
        ("GET /", "", "404"),
        ("POST /service/GraniteServiceVersion20100801/operation/ListMetrics", "", "404"),
    ] {
        let response = send(&fake, request, body);
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{request} {body}: {response}"
        );
    }

    let form = "Content-Type: application/x-www-form-urlencoded\r\nX: ";
    let call = format!("POST / HTTP/1.1\r\n{form}");
    let response = send(&fake, &call, "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(response.contains("<Account>123456789012</Account>"), "{response}");
    assert!(
        send(&fake, "GET /control/calls", "")
            .contains(r#""status":200,"request":"GetCallerIdentity""#)
    );
    let counters = send(&fake, "GET /control/counters", "");
    assert!(
        counters.contains(r#""get_caller_identity":{"received":1,"answered":1,"#),
        "{counters}"
    );
    assert!(send(&fake, "DELETE /control/counters", "").starts_with("HTTP/1.1 204"));
    assert_eq!(fake.counters().received(), 0);
}

#[test]
fn invalid_bodies_are_rejected() {
    let fake = Fake::start(Model::new()).unwrap();
    let headers = "smithy-protocol: rpc-v2-cbor\r\nContent-Type: application/cbor\r\nX: ";
    for operation in ["ListMetrics", "GetMetricData", "GetMetricStatistics"] {
        let call = format!(
            "POST /service/GraniteServiceVersion20100801/operation/{operation} HTTP/1.1\r\n{headers}"
        );
        for body in ["", "x", "\u{7f}\u{7f}", "{\"Namespace\": 1}"] {
            let response = send(&fake, &call, body);
            assert!(response.starts_with("HTTP/1.1 400"), "{operation} {body:?}: {response}");
        }
    }
    assert_eq!(fake.counters().get_metric_data.refused, 4);
}
