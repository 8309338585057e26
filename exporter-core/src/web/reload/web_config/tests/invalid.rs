//! All mistakes that a file may contain, with their errors.

use super::{directory, tls};
use crate::web::reload::ConfigStore;

/// A file, the place in the error, and the problem. `<tls>` is a section with a valid
/// certificate and key, `<verify>` requires client certificates, `<ca>` names their authority.
const INVALID: &[(&str, &str, &str)] = &[
    // An incomplete section must not mean plain HTTP.
    ("tls_server_config:\n  min_version: TLS12\n", "tls_server_config", "missing one of cert"),
    (
        "tls_server_config:\n  client_allowed_sans: [a]\n",
        "tls_server_config",
        "missing one of cert",
    ),
    ("tls_server_config:\n  cert_file:\n", "tls_server_config", "missing one of cert"),
    ("tls_server_config:\n  cert_file: \"\"\n", "tls_server_config", "missing one of cert"),
    (
        "tls_server_config:\n  prefer_server_cipher_suites: true\n",
        "tls_server_config",
        "missing one of cert",
    ),
    ("tls_server_config:\n  cert_file: server.crt\n", "tls_server_config", "missing one of key"),
    // Both keys of a pair.
    ("<tls>  cert: x\n", "line 4: tls_server_config.cert:", "not both"),
    ("<tls>  key: x\n", "line 4: tls_server_config.key:", "not both"),
    ("<tls><verify><ca>  client_ca: x\n", "tls_server_config.client_ca_file", "not both"),
    // Files.
    (
        "tls_server_config:\n  cert_file: none.crt\n  key_file: server.key\n",
        "line 2: tls_server_config.cert_file:",
        "none.crt cannot be read: No such file",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: none.key\n",
        "line 3: tls_server_config.key_file:",
        "none.key cannot be read: No such file",
    ),
    (
        "tls_server_config:\n  cert_file: empty.pem\n  key_file: server.key\n",
        "cert_file",
        "empty.pem holds no certificate: it is empty",
    ),
    (
        "tls_server_config:\n  cert_file: junk.pem\n  key_file: server.key\n",
        "cert_file",
        "junk.pem holds no certificate: it is not PEM",
    ),
    (
        "tls_server_config:\n  cert_file: damaged.pem\n  key_file: server.key\n",
        "cert_file",
        "damaged",
    ),
    (
        "tls_server_config:\n  cert_file: hollow.pem\n  key_file: server.key\n",
        "cert_file",
        "cannot be used",
    ),
    (
        "tls_server_config:\n  cert_file: server.key\n  key_file: server.key\n",
        "cert_file",
        "it is a private key",
    ),
    (
        "tls_server_config:\n  cert_file: .\n  key_file: server.key\n",
        "cert_file",
        "it is a directory",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.crt\n",
        "key_file",
        "it is a certificate",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: empty.pem\n",
        "key_file",
        "holds no private key: it is empty",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: encrypted.key\n",
        "key_file",
        "encrypted private key",
    ),
    (
        "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n",
        "line 3: tls_server_config.key_file:",
        "not the key of the certificate",
    ),
    (
        "tls_server_config:\n  cert_file: \"%d/server.crt\"\n  key_file: server.key\n",
        "cert_file",
        "$CREDENTIALS_DIRECTORY",
    ),
    (
        "tls_server_config:\n  cert: junk\n  key_file: server.key\n",
        "tls_server_config.cert:",
        "holds no certificate",
    ),
    // Clients.
    (
        "<tls>  client_auth_type: requireandverifyclientcert\n",
        "line 4: tls_server_config.client_auth_type",
        "invalid ClientAuth",
    ),
    ("<tls><verify>", "client_auth_type", "client_ca"),
    (
        "<tls><ca>",
        "client_ca_file",
        "client CA's have been configured without a Client Auth Policy",
    ),
    (
        "<tls>  client_auth_type: NoClientCert\n<ca>",
        "client_ca_file",
        "without a Client Auth Policy",
    ),
    (
        "<tls>  client_auth_type: \"\"\n  client_ca: x\n",
        "client_ca",
        "without a Client Auth Policy",
    ),
    ("<tls><verify>  client_ca_file: empty.pem\n", "client_ca_file", "holds no certificate"),
    ("<tls><verify>  client_ca_file: junk.pem\n", "client_ca_file", "holds no certificate"),
    ("<tls><verify>  client_ca_file: hollow.pem\n", "client_ca_file", "certificate 1"),
    ("<tls><verify>  client_ca: junk\n", "client_ca", "holds no certificate"),
    (
        "<tls>  client_allowed_sans: [a]\n",
        "client_allowed_sans",
        "no client certificate is requested",
    ),
    (
        "<tls>  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]\n",
        "client_allowed_sans",
        "verifies no certificate",
    ),
    (
        "<tls>  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n",
        "client_allowed_sans",
        "verifies no certificate",
    ),
    (
        "<tls>  client_auth_type: VerifyClientCertIfGiven\n  client_allowed_sans: [a]\n",
        "client_allowed_sans",
        "client_ca",
    ),
    ("<tls><verify><ca>  client_allowed_sans: []\n", "client_allowed_sans", "lists no name"),
    ("<tls><verify><ca>  client_allowed_sans:\n", "client_allowed_sans", "lists no name"),
    ("<tls><verify><ca>  client_allowed_sans: [\"\"]\n", "client_allowed_sans", "lists no name"),
    ("<tls>  client_crl_file: crl.pem\n", "client_crl_file", "none is requested"),
    (
        "<tls>  client_auth_type: RequireAnyClientCert\n<ca>  client_crl_file: crl.pem\n",
        "client_crl_file",
        "verifies no certificate",
    ),
    ("<tls><verify><ca>  client_crl_file: junk.pem\n", "client_crl_file", "no revocation list"),
    ("<tls><verify><ca>  client_crl_file: none.pem\n", "client_crl_file", "No such file"),
    // Parameters.
    (
        "<tls>  min_version: TLS14\n",
        "line 4: tls_server_config.min_version",
        "unknown TLS version: TLS14",
    ),
    ("<tls>  max_version: tls12\n", "max_version", "unknown TLS version: tls12"),
    ("<tls>  min_version: TLS13\n  max_version: TLS12\n", "min_version", "above max_version"),
    ("<tls>  max_version: TLS11\n", "max_version", "no usable version"),
    ("<tls>  min_version: TLS10\n  max_version: TLS10\n", "max_version", "no usable version"),
    (
        "<tls>  cipher_suites: [TLS_NONE]\n",
        "line 4: tls_server_config.cipher_suites",
        "unknown cipher: TLS_NONE",
    ),
    (
        "<tls>  cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n",
        "cipher_suites",
        "unknown cipher",
    ),
    (
        "<tls>  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
        "cipher_suites",
        "no usable cipher",
    ),
    (
        "<tls>  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
        "cipher_suites",
        "missing an HTTP/2-required AES_128_GCM_SHA256 cipher",
    ),
    (
        "<tls>  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\nhttp_server_config: {http2: false}\n",
        "cipher_suites",
        "no usable cipher",
    ),
    ("<tls>  curve_preferences: [CurveP257]\n", "curve_preferences", "unknown curve: CurveP257"),
    ("<tls>  curve_preferences: [CurveP521]\n", "curve_preferences", "no usable curve"),
    (
        "<tls>  curve_preferences: [X25519MLKEM768]\n  max_version: TLS12\n",
        "curve_preferences",
        "no usable curve",
    ),
    // The rest.
    (
        "http_server_config:\n  headers:\n    Server: x\n",
        "line 3: http_server_config.headers.Server",
        "HTTP header \"Server\" can not be configured",
    ),
    (
        "http_server_config:\n  headers:\n    x-frame-options: deny\n",
        "headers.x-frame-options",
        "can not be configured",
    ),
    (
        "http_server_config:\n  headers:\n    X-Frame-Options: DENY\n",
        "headers.X-Frame-Options",
        "invalid value for X-Frame-Options",
    ),
    (
        "http_server_config:\n  headers:\n    X-XSS-Protection: \"1\\r\\nSet-Cookie: a\"\n",
        "headers.X-XSS-Protection",
        "line break",
    ),
    (
        "http_server_config:\n  headers:\n    Content-Security-Policy: \"a\\nb\"\n",
        "headers.Content-Security-Policy",
        "line break",
    ),
    (
        "basic_auth_users:\n  a: $2y$10$short\n",
        "line 2: basic_auth_users.a:",
        "hashedSecret too short",
    ),
    (
        "basic_auth_users:\n  \"a\\nb\": x\n",
        "line 2: basic_auth_users.a\u{fffd}b:",
        "hashedSecret too short",
    ),
    ("basic_auth_users:\n  a:\n", "line 2", "YAML"),
    (
        "basic_auth_users:\n  \"a:b\": $2y$04$/////////////////////uWQGqPhFwdEJm0mVMTyNQ2dY5JBtKLlC\n",
        "line 2: basic_auth_users.a:b:",
        "colon",
    ),
    ("rate_limit:\n  interval: 1d\n", "line 2: rate_limit.interval:", "1d"),
    ("rate_limit:\n  interval: 1.5\n", "rate_limit.interval", "duration"),
    ("rate_limit:\n  limit: 1\n", "line 2", "unknown key \"limit\""),
];

#[test]
fn each_mistake_is_reported_in_one_line() {
    let directory = directory();
    for (text, place, problem) in INVALID {
        let text = text
            .replace("<tls>", &tls(""))
            .replace("<verify>", "  client_auth_type: RequireAndVerifyClientCert\n")
            .replace("<ca>", "  client_ca_file: ca.pem\n");
        let path = directory.write("bad.yml", &text);
        let error = ConfigStore::load(Some(path.clone())).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{text}\n{error}");
        assert!(error.contains(place) && error.contains(problem), "{text}\n{error}");
        assert!(!error.contains('\n'), "{text}\n{error}");
    }
    let error = ConfigStore::load(Some(directory.path().join("none.yml"))).unwrap_err().to_string();
    assert!(error.contains("none.yml") && error.contains("No such file"), "{error}");
}
